package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/relations/assert"
	"github.com/behalf-authz/behalf/schema/roles"
)

func newSchema(t Terminal) *cobra.Command {
	return group("schema", "Compile, prove and change the relations schema", newSchemaGenerate(t), newSchemaValidate(t), newSchemaDiff(t), newSchemaApply(t))
}

func newSchemaGenerate(t Terminal) *cobra.Command {
	var out string
	var check bool
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Compile the role catalogue to the relations schema",
		Args:  arguments(0, 0, "none"),
		RunE:  func(*cobra.Command, []string) error { return generateSchema(t, out, check) },
	}
	cmd.Flags().StringVar(&out, "out", relations.Path, "the file to write, or - for standard output")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, and fail when the file is not what would be written")
	return cmd
}

func generateSchema(t Terminal, out string, check bool) error {
	catalogue, err := roles.Load()
	if err != nil {
		return fmt.Errorf("load the role catalogue: %w", err)
	}
	text, err := relations.Compile(catalogue)
	if err != nil {
		return fmt.Errorf("compile the relations schema: %w", err)
	}
	if out == "-" {
		_, err := fmt.Fprint(t.Out, text)
		return err
	}
	old, err := os.ReadFile(out)
	switch {
	case err == nil && bytes.Equal(old, []byte(text)):
		return nil
	case check && err != nil:
		return err
	case check:
		return fmt.Errorf("%s is stale; run `behalf schema generate`", out)
	}
	err = os.WriteFile(out, []byte(text), 0o644) //nolint:gosec // a source file, for all to read
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such directory here; run it in the root of the source tree, or name a file with --out", out)
	}
	return err
}

func newSchemaValidate(t Terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE…",
		Short: "Judge the relations schema by SpiceDB validation files",
		Long: `Judge the relations schema by SpiceDB validation files: relationships, and assertions about what follows
from them. A file without a schema of its own is judged under Behalf's.`,
		Args: arguments(1, -1, "at least one validation file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []error
			for _, name := range args {
				faults = append(faults, validate(cmd.Context(), t, name))
			}
			return errors.Join(faults...)
		},
	}
}

func validate(ctx context.Context, t Terminal, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	result, err := assert.Run(ctx, relations.Schema, text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var faults []error
	for _, f := range result.Failures {
		faults = append(faults, fmt.Errorf("%s: %s", name, f))
	}
	if len(faults) == 0 {
		fmt.Fprintf(t.Out, "%s: %d assertions hold\n", name, result.Assertions)
	}
	return errors.Join(faults...)
}
