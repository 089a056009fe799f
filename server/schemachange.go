package server

import (
	"context"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	storerpc "github.com/behalf-authz/behalf/server/internal/rpc/store"
)

// schemas changes the live schema for callers. Behalf's own part they can only look at: a
// release brings it along.
type schemas struct{ engine *engine.Engine }

// DiffSchema compares definitions with what is live.
func (s schemas) DiffSchema(ctx context.Context, definitions string, own bool, renames []relations.Rename) ([]storerpc.SchemaChange, error) {
	target := engine.Others(relations.Definitions, definitions)
	if own {
		if _, err := engine.ParseSchema(definitions); err != nil {
			return nil, fault.Field("definitions", "do not compile: %s", err)
		}
		target = engine.Own(definitions)
	}
	return changesOf(s.engine.DiffSchema(ctx, target, renames...))
}

// ApplySchema makes definitions live, beside Behalf's own.
func (s schemas) ApplySchema(ctx context.Context, definitions string, renames []relations.Rename) ([]storerpc.SchemaChange, error) {
	return changesOf(s.engine.ChangeSchema(ctx, engine.Others(relations.Definitions, definitions), nil, renames...))
}

func changesOf(d *engine.Difference, err error) ([]storerpc.SchemaChange, error) {
	if err != nil {
		return nil, err
	}
	all := make([]storerpc.SchemaChange, len(d.Changes))
	for i, c := range d.Changes {
		all[i] = storerpc.SchemaChange{What: c.What, Of: c.Of, Touches: c.Touches, Orphans: c.Orphans}
	}
	return all, nil
}
