package outbox

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

type intentKey struct{}

// Joined is the graph, for those who write it together with rows: what is written with the
// context of a Write of the outbox is part of it. It has no revision yet.
func (o *Outbox) Joined() Graph { return joined{o.graph} }

type joined struct{ graph Graph }

// Write adds the updates to the write that ctx belongs to, or makes them.
func (j joined) Write(ctx context.Context, updates []relation.Update) (relation.Revision, error) {
	if i, ok := ctx.Value(intentKey{}).(*intent); ok {
		i.updates = append(i.updates, updates...)
		return "", nil
	}
	return j.graph.Write(ctx, updates)
}

// Head returns the newest revision.
func (j joined) Head(ctx context.Context) (relation.Revision, error) { return j.graph.Head(ctx) }

// recorder is statements that note what is executed.
type recorder struct {
	ctx      context.Context //nolint:containedctx // that of the one transaction in which they are prepared
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
	into     *statements
}

func newRecorder(ctx context.Context, tx *sql.Tx, into *statements) *recorder {
	return &recorder{ctx: ctx, tx: tx, prepared: make(map[string]*sql.Stmt), into: into}
}

// Statement returns a statement of the transaction, prepared once.
func (r *recorder) Statement(text string) (*sql.Stmt, error) {
	if s, ok := r.prepared[text]; ok {
		return s, nil
	}
	s, err := r.tx.PrepareContext(r.ctx, records.Postgres(text))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	r.prepared[text] = s
	return s, nil
}

// Executed notes a statement.
func (r *recorder) Executed(text string, args []any) error {
	return r.into.add(records.Postgres(text), args)
}
