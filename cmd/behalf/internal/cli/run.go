package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Terminal is what a command reads and writes, and its environment.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
	Environ  []string // "NAME=value"
}

// Exit codes besides 0, which says that the command did what it was asked.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // import took the file, and refused some entries
	exitDenied  = 4 // check --exit-code, and the answer is no
	exitPending = 5 // migrate status or plan with --exit-code, and something is to be done
)

// exitError is an error that ends the process with a code of its own. Without an error
// inside, everything has been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(err error) error { return &exitError{exitUsage, err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// Run runs the command that the arguments name and returns the exit code.
func Run(ctx context.Context, args []string, t Terminal) int {
	root := tree(t)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code := exitFailed
	if e, ok := errors.AsType[*exitError](err); ok {
		code = e.code
	}
	text := strings.TrimSpace(err.Error())
	for line := range strings.Lines(text) {
		fmt.Fprintf(t.Err, "behalf: %s\n", strings.TrimRight(line, "\n"))
	}
	if code == exitUsage {
		fmt.Fprintf(t.Err, "behalf: `%s --help` says more\n", cmd.CommandPath())
	}
	return code
}

// tree is the whole command line.
func tree(t Terminal) *cobra.Command {
	heard := new(misheard)
	root := group("behalf", "Whom may this user act for, in which roles, may they do this, now, and why?")
	root.PersistentFlags().String("config", "", "file of settings, YAML or JSON: the flags' names with their values")
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error { return prepare(cmd, args, t.Environ, heard) }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	root.AddCommand(
		newServe(t), newImport(t), newJoin(t), newGenerate(t),
		newCheck(t), newDecide(t), newParties(t), newRoles(t), newPolicy(t), newDelegate(t),
		newToken(t), newAPIKey(t), newIdentities(t), newSchema(t), newVersion(t),
		newAudit(t), newMigrate(t), newBackup(t), newRestore(t), newExport(t), newVerify(t), newBench(t),
	)
	heard.listen(root)
	return root
}

// group returns a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			var names []string
			for _, c := range cmd.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name())
				}
			}
			return usagef("%q is no command; there are %s", args[0], strings.Join(names, ", "))
		},
	}
	cmd.AddCommand(below...)
	return cmd
}

// arguments makes a wrong number of arguments a fault of usage that says what they are.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("%d arguments given; give %s", len(args), what)
		}
		return nil
	}
}

// output is the value of --output.
type output string

func (o *output) bind(flags *pflag.FlagSet) {
	*o = "text"
	flags.VarP(o, "output", "o", "text, or json for programs")
}

// String returns the chosen output.
func (o *output) String() string { return string(*o) }

// Set chooses an output.
func (o *output) Set(text string) error {
	if text != "text" && text != "json" {
		return errors.New("want text or json")
	}
	*o = output(text)
	return nil
}

// Type names the value in help texts.
func (o *output) Type() string { return "format" }
