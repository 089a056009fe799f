package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/spf13/pflag"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

func newPolicy(t Terminal) *cobra.Command {
	return group("policy", "Keep, evaluate and test policies",
		newPolicyPut(t), newPolicyGet(t), newPolicyList(t), newPolicyHistory(t), newPolicyRollback(t), newPolicyDelete(t),
		newPolicyValidate(t), newPolicyEvaluate(t), newPolicyTest(t))
}

// policyCommand is what the commands below `behalf policy` that ask a server share.
type policyCommand struct {
	Terminal
	client client
	output output
	about  aboutFlags

	etag, ifMatch string
	anyOf, isNew  bool

	ref  *behalfv1.PolicyRef // what about names
	from string              // the file, for put
	text []byte              // its text
}

// newPolicyCommand returns a command that asks a server. What it is given is looked at
// before anything is opened.
func newPolicyCommand(
	t Terminal, cmd *cobra.Command,
	look func(*policyCommand, []string) error, run func(*policyCommand, context.Context, behalfv1.PolicyServiceClient) error,
) (*cobra.Command, *policyCommand) {
	c := &policyCommand{Terminal: t}
	c.client.bind(cmd.Flags())
	c.output.bind(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := look(c, args); err != nil {
			return err
		}
		return c.client.ask(cmd.Context(), c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
			return run(c, cmd.Context(), behalfv1.NewPolicyServiceClient(conn))
		})
	}
	return cmd, c
}

// named looks at what the policy decides about.
func (c *policyCommand) named([]string) (err error) {
	c.ref, err = c.about.ref(false)
	return err
}

// all looks at nothing.
func (*policyCommand) all([]string) error { return nil }

// aboutFlags name what a policy decides about.
type aboutFlags struct{ app, resource, typ string }

func (a *aboutFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&a.app, "app", "", "an app, as ORG/APP")
	flags.StringVar(&a.resource, "resource", "", "a resource of the registry, by its id")
	flags.StringVar(&a.typ, "type", "", "all objects of a type")
}

// ref returns what the flags name: exactly one thing, or with optional none.
func (a *aboutFlags) ref(optional bool) (*behalfv1.PolicyRef, error) {
	given := 0
	for _, text := range []string{a.app, a.resource, a.typ} {
		if text != "" {
			given++
		}
	}
	switch org, app, ok := strings.Cut(a.app, "/"); {
	case given == 0 && optional:
		return nil, nil
	case given != 1:
		return nil, usagef("name what the policy decides about: --app ORG/APP, --resource ID or --type TYPE")
	case a.app != "" && (!ok || org == "" || app == "" || strings.Contains(app, "/")):
		return nil, usagef("--app: %q is not ORG/APP, such as skd/taxreport", a.app)
	case a.app != "":
		return &behalfv1.PolicyRef{Org: org, App: app}, nil
	}
	return &behalfv1.PolicyRef{Resource: a.resource, Type: a.typ}, nil
}

// refText returns a reference as the flags spell it.
func refText(r *behalfv1.PolicyRef) string {
	switch {
	case r.GetApp() != "":
		return "--app " + r.GetOrg() + "/" + r.GetApp()
	case r.GetResource() != "":
		return "--resource " + r.GetResource()
	}
	return "--type " + r.GetType()
}

// readAll reads a file, or standard input for "-".
func (t Terminal) readAll(name string) ([]byte, error) {
	if name == "-" {
		text, err := io.ReadAll(t.In)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return text, nil
	}
	return os.ReadFile(name)
}

// printFindings lists what was found in a file, as compilers do.
func printFindings(out io.Writer, name, what string, found []*behalfv1.PolicyFinding) {
	for _, f := range found {
		fmt.Fprintf(out, "%s: %s\n", place(name, int(f.GetLine()), f.GetElement(), what), f.GetMessage())
	}
}

func place(name string, line int, element, what string) string {
	text := fmt.Sprintf("%s:%d", name, line)
	if element != "" {
		text += ": " + element
	}
	if what != "" {
		text += ": " + what
	}
	return text
}
