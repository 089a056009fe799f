package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/schema/relations"
)

// schemaCommand is what `behalf schema diff` and `apply` share.
type schemaCommand struct {
	Terminal
	client client
}

func newSchemaDiff(t Terminal) *cobra.Command {
	c := &schemaCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "diff FILE",
		Short: "Compare definitions of your own with what is live",
		Long: `Compare definitions of your own, in SpiceDB's language and beside Behalf's, with what is live. One change a
line, with the number of live relationships that it would leave without a place.`,
		Args: arguments(1, 1, "one file of definitions"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args[0], false) },
	}
	c.client.bind(cmd.Flags())
	return cmd
}

func newSchemaApply(t Terminal) *cobra.Command {
	c := &schemaCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Make definitions of your own live",
		Long: `Make definitions of your own live, in SpiceDB's language and beside Behalf's. The file is the whole of them:
what it lacks is removed. Nothing is changed when live relationships would be left without a place: export
them, delete them, change the definitions, and write them again.`,
		Example: "  behalf schema diff documents.zed\n  behalf schema apply documents.zed",
		Args:    arguments(1, 1, "one file of definitions"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args[0], true) },
	}
	c.client.bind(cmd.Flags())
	return cmd
}

func (c *schemaCommand) run(ctx context.Context, name string, apply bool) (err error) {
	own, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text := relations.Schema + "\n" + string(own)
	conn, release, err := c.client.reach(ctx, newProgress(c.Err))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	changes, err := schemaChanges(ctx, conn, text)
	if err != nil {
		return c.client.explain(err)
	}
	orphans := int64(0)
	for _, change := range changes {
		fmt.Fprintln(c.Out, change)
		orphans += change.orphans
	}
	switch {
	case len(changes) == 0:
		fmt.Fprintln(c.Out, "nothing differs from what is live")
		return nil
	case !apply:
		return nil
	case orphans > 0:
		return fmt.Errorf("%d live relationships would be left without a place; nothing was changed: export them, delete them, "+
			"apply the definitions, and write them again", orphans)
	}
	if _, err := v1.NewSchemaServiceClient(conn).WriteSchema(ctx, &v1.WriteSchemaRequest{Schema: text}); err != nil {
		return c.client.explain(err)
	}
	fmt.Fprintf(c.Out, "applied: %d changes\n", len(changes))
	return nil
}

// schemaChange is one change of the schema.
type schemaChange struct {
	what, of string
	filter   *v1.RelationshipFilter // selects what would be left without a place, nil when nothing can be
	removed  *v1.ReflectionTypeReference
	orphans  int64
}

func (s schemaChange) String() string {
	if s.filter == nil {
		return s.what + " " + s.of
	}
	return fmt.Sprintf("%s %s: %d live relationships", s.what, s.of, s.orphans)
}

func schemaChanges(ctx context.Context, conn grpc.ClientConnInterface, text string) ([]schemaChange, error) {
	answer, err := v1.NewSchemaServiceClient(conn).DiffSchema(ctx, &v1.DiffSchemaRequest{
		ComparisonSchema: text, Consistency: &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
	})
	if err != nil {
		return nil, err
	}
	var changes []schemaChange
	for _, d := range answer.GetDiffs() {
		change := changeOf(d)
		if strings.HasSuffix(change.what, "doc comment changed") {
			continue
		}
		if change.filter != nil {
			if change.orphans, err = count(ctx, conn, change); err != nil {
				return nil, err
			}
		}
		changes = append(changes, change)
	}
	return changes, nil
}

// changeOf names a difference as the server does, and says what it would leave without a place.
func changeOf(d *v1.ReflectionSchemaDiff) schemaChange {
	m := d.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("diff"))
	if field == nil {
		return schemaChange{what: "unknown change"}
	}
	change := schemaChange{what: strings.ReplaceAll(string(field.Name()), "_", " "), of: "of " + m.Get(field).Message().Interface().(fmt.Stringer).String()}
	switch is := d.GetDiff().(type) {
	case *v1.ReflectionSchemaDiff_DefinitionAdded:
		change.of = is.DefinitionAdded.GetName()
	case *v1.ReflectionSchemaDiff_DefinitionRemoved:
		change.of = is.DefinitionRemoved.GetName()
		change.filter = &v1.RelationshipFilter{ResourceType: change.of}
	case *v1.ReflectionSchemaDiff_RelationAdded:
		change.of = relationName(is.RelationAdded)
	case *v1.ReflectionSchemaDiff_RelationRemoved:
		change.of = relationName(is.RelationRemoved)
		change.filter = filterOf(is.RelationRemoved)
	case *v1.ReflectionSchemaDiff_RelationSubjectTypeAdded:
		change.of = relationName(is.RelationSubjectTypeAdded.GetRelation()) + " " + typeName(is.RelationSubjectTypeAdded.GetChangedSubjectType())
	case *v1.ReflectionSchemaDiff_RelationSubjectTypeRemoved:
		change.removed = is.RelationSubjectTypeRemoved.GetChangedSubjectType()
		change.of = relationName(is.RelationSubjectTypeRemoved.GetRelation()) + " " + typeName(change.removed)
		change.filter = filterOf(is.RelationSubjectTypeRemoved.GetRelation())
		change.filter.OptionalSubjectFilter = &v1.SubjectFilter{
			SubjectType:      change.removed.GetSubjectDefinitionName(),
			OptionalRelation: &v1.SubjectFilter_RelationFilter{Relation: change.removed.GetOptionalRelationName()},
		}
	case *v1.ReflectionSchemaDiff_PermissionAdded:
		change.of = is.PermissionAdded.GetParentDefinitionName() + "#" + is.PermissionAdded.GetName()
	case *v1.ReflectionSchemaDiff_PermissionRemoved:
		change.of = is.PermissionRemoved.GetParentDefinitionName() + "#" + is.PermissionRemoved.GetName()
	case *v1.ReflectionSchemaDiff_PermissionExprChanged:
		change.of = is.PermissionExprChanged.GetParentDefinitionName() + "#" + is.PermissionExprChanged.GetName()
	}
	return change
}

func relationName(r *v1.ReflectionRelation) string {
	return r.GetParentDefinitionName() + "#" + r.GetName()
}

func filterOf(r *v1.ReflectionRelation) *v1.RelationshipFilter {
	return &v1.RelationshipFilter{ResourceType: r.GetParentDefinitionName(), OptionalRelation: r.GetName()}
}

func typeName(r *v1.ReflectionTypeReference) string {
	name := r.GetSubjectDefinitionName()
	if r.GetIsPublicWildcard() {
		name += ":*"
	}
	if r.GetOptionalRelationName() != "" {
		name += "#" + r.GetOptionalRelationName()
	}
	if r.GetOptionalCaveatName() != "" {
		name += " with " + r.GetOptionalCaveatName()
	}
	return name
}

// count counts the live relationships that a change would leave without a place.
func count(ctx context.Context, conn grpc.ClientConnInterface, change schemaChange) (n int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := v1.NewPermissionsServiceClient(conn).ReadRelationships(ctx, &v1.ReadRelationshipsRequest{
		RelationshipFilter: change.filter,
		Consistency:        &v1.Consistency{Requirement: &v1.Consistency_FullyConsistent{FullyConsistent: true}},
	})
	if err != nil {
		return 0, err
	}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		r, gone := answer.GetRelationship(), change.removed
		everybody := r.GetSubject().GetObject().GetObjectId() == "*"
		if gone == nil || everybody == gone.GetIsPublicWildcard() && r.GetOptionalCaveat().GetCaveatName() == gone.GetOptionalCaveatName() {
			n++
		}
	}
}
