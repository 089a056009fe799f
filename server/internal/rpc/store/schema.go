package store

import (
	"context"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// SchemaChange is one difference between definitions and what is live.
type SchemaChange struct {
	What, Of         string
	Touches, Orphans int64 // live relationships
}

// Schemas compares definitions with what is live, and makes them live.
type Schemas interface {
	// DiffSchema compares all definitions beside Behalf's own or, with own, those.
	DiffSchema(ctx context.Context, definitions string, own bool, renames []relations.Rename) ([]SchemaChange, error)
	// ApplySchema makes definitions live, beside Behalf's own.
	ApplySchema(ctx context.Context, definitions string, renames []relations.Rename) ([]SchemaChange, error)
}

// DiffSchema compares definitions with what is live.
func (s *Server) DiffSchema(ctx context.Context, req *behalfv1.DiffSchemaRequest) (*behalfv1.DiffSchemaResponse, error) {
	changes, err := s.schemas.DiffSchema(ctx, req.GetDefinitions(), req.GetOwn(), renames(req.GetRenames()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.DiffSchemaResponse{Changes: messages(changes)}, nil
}

// ApplySchema makes definitions live.
func (s *Server) ApplySchema(ctx context.Context, req *behalfv1.ApplySchemaRequest) (*behalfv1.ApplySchemaResponse, error) {
	changes, err := s.schemas.ApplySchema(ctx, req.GetDefinitions(), renames(req.GetRenames()))
	if err != nil {
		return nil, err
	}
	if len(changes) > 0 {
		s.logger.WarnContext(ctx, "schema changed", "changes", len(changes), "by", caller.From(ctx).Name)
	}
	return &behalfv1.ApplySchemaResponse{Changes: messages(changes)}, nil
}

func renames(messages []*behalfv1.RelationRename) []relations.Rename {
	all := make([]relations.Rename, len(messages))
	for i, m := range messages {
		all[i] = relations.Rename{Definition: m.GetDefinition(), Old: m.GetOld(), New: m.GetNew()}
	}
	return all
}

func messages(changes []SchemaChange) []*behalfv1.SchemaChange {
	all := make([]*behalfv1.SchemaChange, len(changes))
	for i, c := range changes {
		all[i] = &behalfv1.SchemaChange{What: c.What, Of: c.Of, Touches: c.Touches, Orphans: c.Orphans}
	}
	return all
}
