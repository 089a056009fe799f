package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/roles"
)

// schemaCommand is what `behalf schema diff` and `apply` share.
type schemaCommand struct {
	Terminal
	client  client
	renames []string
	output  output
}

const renameUsage = "definition#old=new, a relation that goes on under another name; may be given several times"

func newSchemaDiff(t Terminal) *cobra.Command {
	c := &schemaCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "diff [FILE]",
		Short: "Compare definitions with what is live",
		Long: `Compare definitions with what is live: a file of your own, in SpiceDB's language and beside Behalf's, or,
without a file, those that this program's role catalogue compiles to. One change a line, with the number of
live relationships that it touches and of those that it would leave without a place.`,
		Example: "  behalf schema diff\n  behalf schema diff documents.zed --rename document#reader=viewer",
		Args:    arguments(0, 1, "one file of definitions, or none for Behalf's own"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.diff(cmd.Context(), args) },
	}
	c.client.bind(cmd.Flags())
	cmd.Flags().StringSliceVar(&c.renames, "rename", nil, renameUsage)
	c.output.bind(cmd.Flags())
	return cmd
}

func newSchemaApply(t Terminal) *cobra.Command {
	c := &schemaCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make definitions of your own live",
		Long: `Make definitions of your own live, in SpiceDB's language and beside Behalf's. The file is the whole of them:
what it lacks is removed. Nothing is changed when live relationships would be left without a place: export
them, delete them, change the definitions, and write them again.

A relation that is renamed with --rename keeps its relationships: they are rewritten in the transaction that
changes the definitions.

Behalf's own part is brought along by each release: see ` + "`behalf migrate`.",
		Example: "  behalf schema diff documents.zed\n  behalf schema apply documents.zed --rename document#reader=viewer",
		Args:    arguments(1, 1, "one file of definitions"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.apply(cmd.Context(), args[0]) },
	}
	c.client.bind(cmd.Flags())
	cmd.Flags().StringSliceVar(&c.renames, "rename", nil, renameUsage)
	c.output.bind(cmd.Flags())
	return cmd
}

// declared returns the renames as messages.
func (c *schemaCommand) declared() ([]*behalfv1.RelationRename, error) {
	var all []*behalfv1.RelationRename
	for _, text := range c.renames {
		definition, names, ok1 := strings.Cut(text, "#")
		old, is, ok2 := strings.Cut(names, "=")
		if !ok1 || !ok2 || definition == "" || old == "" || is == "" {
			return nil, usagef("--rename: %q is not definition#old=new", text)
		}
		all = append(all, &behalfv1.RelationRename{Definition: definition, Old: old, New: is})
	}
	return all, nil
}

func (c *schemaCommand) diff(ctx context.Context, files []string) error {
	req := &behalfv1.DiffSchemaRequest{Own: len(files) == 0}
	var err error
	if req.Renames, err = c.declared(); err != nil {
		return err
	}
	if req.Definitions, err = definitions(files); err != nil {
		return err
	}
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
		answer, err := behalfv1.NewStoreServiceClient(conn).DiffSchema(ctx, req)
		if err != nil {
			return err
		}
		if c.output == "json" {
			return printJSON(c.Out, answer)
		}
		c.print(answer.GetChanges())
		return nil
	})
}

// definitions returns the text of the file or, without one, of what the catalogue compiles to.
func definitions(files []string) (string, error) {
	if len(files) > 0 {
		text, err := os.ReadFile(files[0])
		return string(text), err
	}
	catalogue, err := roles.Load()
	if err != nil {
		return "", fmt.Errorf("load the role catalogue: %w", err)
	}
	text, err := relations.Compile(catalogue)
	if err != nil {
		return "", fmt.Errorf("compile the relations schema: %w", err)
	}
	return text, nil
}

func (c *schemaCommand) apply(ctx context.Context, name string) error {
	req := &behalfv1.ApplySchemaRequest{}
	var err error
	if req.Renames, err = c.declared(); err != nil {
		return err
	}
	if req.Definitions, err = definitions([]string{name}); err != nil {
		return err
	}
	return c.client.ask(ctx, c.Err, func(conn grpc.ClientConnInterface, _ *progress) error {
		service := behalfv1.NewStoreServiceClient(conn)
		if c.output != "json" { // what is refused is seen as well
			diff, err := service.DiffSchema(ctx, &behalfv1.DiffSchemaRequest{Definitions: req.GetDefinitions(), Renames: req.GetRenames()})
			if err != nil {
				return err
			}
			c.print(diff.GetChanges())
		}
		answer, err := service.ApplySchema(ctx, req)
		if err != nil {
			return err
		}
		if c.output == "json" {
			return printJSON(c.Out, answer)
		}
		if n := len(answer.GetChanges()); n > 0 {
			fmt.Fprintf(c.Out, "applied: %d changes\n", n)
		}
		return nil
	})
}

func (c *schemaCommand) print(changes []*behalfv1.SchemaChange) {
	for _, change := range changes {
		fmt.Fprintf(c.Out, "%s %s", change.GetWhat(), change.GetOf())
		if change.GetTouches() > 0 {
			fmt.Fprintf(c.Out, ": %d live relationships", change.GetTouches())
		}
		if change.GetOrphans() > 0 {
			fmt.Fprintf(c.Out, ", %d without a place", change.GetOrphans())
		}
		fmt.Fprintln(c.Out)
	}
	if len(changes) == 0 {
		fmt.Fprintln(c.Out, "nothing differs from what is live")
	}
}
