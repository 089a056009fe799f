package authzed

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonOwnDefinition is given for a schema that lacks or changes one of Behalf's own
// definitions. The metadata entry "definition" names it, "command" says how it is changed.
const ReasonOwnDefinition fault.Reason = "OWN_DEFINITION"

// migrateCommand is how Behalf's own definitions are brought to those of a release.
const migrateCommand = "behalf migrate up"

// guard keeps Behalf's own definitions whole.
type guard struct {
	names []string
	own   *engine.Schema
}

func newGuard(names []string, own *engine.Schema) (guard, error) {
	declared := own.Names()
	for _, name := range names {
		if !slices.Contains(declared, name) {
			return guard{}, fmt.Errorf("the schema of the own definitions lacks %q", name)
		}
	}
	return guard{names: slices.Clone(names), own: own}, nil
}

// guardUnary refuses what would touch Behalf's own definitions.
func (s *Service) guardUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	switch request := req.(type) {
	case *v1.WriteRelationshipsRequest:
		for _, u := range request.GetUpdates() {
			if err := s.guard.tuple(ctx, u.GetRelationship()); err != nil {
				return nil, err
			}
		}
	case *v1.DeleteRelationshipsRequest:
		if err := s.guard.filter(ctx, request.GetRelationshipFilter()); err != nil {
			return nil, err
		}
	case *v1.WriteSchemaRequest:
		// Held so that the own definitions are not brought up to date between the reading
		// and the writing of what others defined.
		release, err := s.engine.HoldSchema(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		live, err := s.engine.LiveSchema(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.guard.schema(request.GetSchema(), live); err != nil {
			return nil, err
		}
	}
	return handler(ctx, req)
}

// tuple refuses a relationship of an own definition to all but administrators.
func (g guard) tuple(ctx context.Context, r *v1.Relationship) error {
	name := r.GetResource().GetObjectType()
	if !slices.Contains(g.names, name) || caller.From(ctx).Has(caller.Admin) {
		return nil
	}
	return denied("relationships of %q are Behalf's own; writing them needs the scope %s", name, caller.Admin).With("definition", name)
}

// filter refuses to all but administrators a filter that can select relationships of an
// own definition: one that names it, or that names no definition at all.
func (g guard) filter(ctx context.Context, f *v1.RelationshipFilter) error {
	name := f.GetResourceType()
	if len(g.names) == 0 || (name != "" && !slices.Contains(g.names, name)) || caller.From(ctx).Has(caller.Admin) {
		return nil
	}
	if name == "" {
		return denied("a filter without a resource type selects Behalf's own relationships too; it needs the scope %s", caller.Admin)
	}
	return denied("relationships of %q are Behalf's own; deleting them needs the scope %s", name, caller.Admin).With("definition", name)
}

func denied(format string, args ...any) *fault.Error {
	return fault.New(fault.Denied, fault.ReasonScopeMissing, format, args...).With("scope", string(caller.Admin))
}

// schema refuses a text that lacks or changes an own definition, whoever brings it. A
// text that does not compile passes: SpiceDB says why. The own definitions are those that
// are live, which a later release may have brought along, and this one's before any are.
func (g guard) schema(text string, live *engine.Schema) error {
	if len(g.names) == 0 {
		return nil
	}
	offered, err := engine.ParseSchema(text)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	own := g.own
	if lacking, _ := live.Compare(g.own); len(lacking) == 0 {
		own = live
	}
	lacking, changed := offered.Compare(own)
	for _, name := range g.names {
		does := ""
		if slices.Contains(lacking, name) {
			does = "lacks"
		} else if slices.Contains(changed, name) {
			does = "changes"
		}
		if does != "" {
			return fault.New(fault.Precondition, ReasonOwnDefinition,
				"the schema %s Behalf's own definition %q; own definitions are changed by `%s` only", does, name, migrateCommand).
				With("definition", name).With("command", migrateCommand)
		}
	}
	return nil
}
