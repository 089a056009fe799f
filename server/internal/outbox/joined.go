package outbox

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"

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

// recorder is statements that note what is executed. Those of whose effect nobody asks are
// sent many at once.
type recorder struct {
	ctx      context.Context //nolint:containedctx // that of the one transaction in which they are prepared
	lease    *lease
	tx       *sql.Tx // on the lease's connection
	prepared map[string]*sql.Stmt
	into     *statements
	executed int // how many of them were; the others wait
}

// maxDeferred is how many statements wait at most.
const maxDeferred = 1000

func newRecorder(ctx context.Context, l *lease, tx *sql.Tx, into *statements) *recorder {
	return &recorder{ctx: ctx, lease: l, tx: tx, prepared: make(map[string]*sql.Stmt), into: into}
}

// Statement returns a statement of the transaction, prepared once. What was deferred comes
// before it.
func (r *recorder) Statement(text string) (*sql.Stmt, error) {
	if err := r.Flush(r.ctx); err != nil {
		return nil, err
	}
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
	r.executed++ // nothing waits: Statement was called for it
	return r.into.add(records.Postgres(text), args)
}

// Defer notes a statement and executes it soon.
func (r *recorder) Defer(text string, args []any) error {
	if err := r.into.add(records.Postgres(text), args); err != nil {
		return err
	}
	if len(r.into.Runs)-r.executed < maxDeferred {
		return nil
	}
	return r.Flush(r.ctx)
}

// Flush executes what was deferred.
func (r *recorder) Flush(ctx context.Context) error {
	if r.executed == len(r.into.Runs) {
		return nil
	}
	batch, err := r.into.batch(r.executed)
	if err != nil {
		return err
	}
	r.executed = len(r.into.Runs)
	err = r.lease.conn.Raw(func(raw any) error {
		return raw.(*stdlib.Conn).Conn().SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return fmt.Errorf("write %d rows: %w", batch.Len(), err)
	}
	return nil
}
