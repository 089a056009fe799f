package outbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Graph is what relationships are written to. A write in which it finds fault it has not made.
type Graph interface {
	Write(ctx context.Context, updates []relation.Update) (relation.Revision, error)
	Head(ctx context.Context) (relation.Revision, error)
}

// Config is what an Outbox works with. URI, Graph and Logger are required.
type Config struct {
	URI    string // of a migrated database
	Graph  Graph
	Logger *slog.Logger
	// Registry gets the metrics; nil leaves them out.
	Registry *prometheus.Registry
	// Atomic is how many updates the graph writes in one transaction; 0 stands for any number.
	Atomic int
	// Stepped is called after each step of a write, 1 to 3, for tests of what a server
	// leaves that ends there.
	Stepped func(step int)
}

// Outbox is records on Postgres. It is safe for concurrent use.
type Outbox struct {
	write, read *sql.DB
	graph       Graph
	logger      *slog.Logger
	atomic      int
	parked      prometheus.Gauge
	stepped     func(int)
}

// Connections of one server.
const (
	writeConns = 4 // for those who have or wait for the lease
	readConns  = 8
)

// finishTime bounds a write from when it can no longer be called off.
const finishTime = time.Minute

// Open opens the outbox of a database. It fails when the database is not migrated.
func Open(ctx context.Context, c Config) (*Outbox, error) {
	if c.Graph == nil || c.Logger == nil {
		return nil, errors.New("the outbox needs a graph and a logger")
	}
	o := &Outbox{graph: c.Graph, logger: c.Logger, atomic: c.Atomic, parked: newParked(), stepped: c.Stepped}
	if c.Registry != nil {
		if err := c.Registry.Register(o.parked); err != nil {
			return nil, fmt.Errorf("register the metric of parked writes: %w", err)
		}
	}
	if o.stepped == nil {
		o.stepped = func(int) {}
	}
	var err error
	if o.write, err = postgres.Open(c.URI, postgres.Options{Conns: writeConns}); err != nil {
		return nil, err
	}
	if o.read, err = postgres.Open(c.URI, postgres.Options{Conns: readConns, ReadOnly: true}); err != nil {
		return nil, errors.Join(err, o.write.Close())
	}
	if err := postgres.Migrated(ctx, o.read); err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// Close closes the connections.
func (o *Outbox) Close() error { return errors.Join(o.read.Close(), o.write.Close()) }

// Read returns the pool that reads.
func (o *Outbox) Read() *sql.DB { return o.read }

// Dialect puts a statement of the records into the words of Postgres.
func (o *Outbox) Dialect(text string) string { return records.Postgres(text) }

// Write runs f and makes what it wrote, and what it wrote to Joined with the context that
// it was given, permanent and visible: all of it or nothing. When the error is of kind
// Unavailable the write may be finished later, by this server or another.
func (o *Outbox) Write(ctx context.Context, f func(context.Context, records.Statements) error) error {
	l, err := take(ctx, o.write)
	if err != nil {
		return unavailable(err, "nothing was written")
	}
	// Once it is kept nobody can call it off: it would be left to others to finish.
	caller := ctx
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTime)
	defer cancel()
	err = o.under(ctx, l, func(ctx context.Context, statements records.Statements) error {
		if err := f(ctx, statements); err != nil {
			return err
		}
		return caller.Err()
	})
	o.release(ctx, l)
	return err
}

// release gives a lease back. What was done under it is done, whether or not that succeeds:
// a lease ends with its connection.
func (o *Outbox) release(ctx context.Context, l *lease) {
	if err := l.release(ctx); err != nil {
		o.logger.WarnContext(ctx, "lease to write not released", "error", err)
	}
}

// Alone runs f while no server writes, when what others have left is finished. It returns
// the error of f as it is.
func (o *Outbox) Alone(ctx context.Context, f func(context.Context) error) error {
	l, err := take(ctx, o.write)
	if err != nil {
		return unavailable(err, "nothing was written")
	}
	defer o.release(context.WithoutCancel(ctx), l)
	if err := o.finishAll(ctx, l); err != nil {
		return unavailable(err, "nothing was written")
	}
	return f(ctx)
}

// under makes a write under the lease.
func (o *Outbox) under(ctx context.Context, l *lease, f func(context.Context, records.Statements) error) error {
	if err := o.finishAll(ctx, l); err != nil {
		return unavailable(err, "nothing was written")
	}
	i := &intent{operation: rand.Text()}
	own, err := o.begin(ctx, l, i, f)
	switch {
	case own != nil:
		return own
	case err != nil && i.number != 0:
		return unavailable(err, "it may be finished yet")
	case err != nil:
		return unavailable(err, "nothing was written")
	case i.number == 0:
		return nil // all rows
	}
	o.stepped(1)
	return o.finish(ctx, l, i)
}

// begin is step 1, or the whole of a write that is all rows. own is the error of f.
func (o *Outbox) begin(ctx context.Context, l *lease, i *intent, f func(context.Context, records.Statements) error) (own, err error) {
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // without effect once committed
	own = f(context.WithValue(ctx, intentKey{}, i), newRecorder(ctx, l, tx, &i.statements))
	if own != nil {
		return own, nil
	}
	if len(i.updates) == 0 {
		return nil, tx.Commit()
	}
	if err := tx.Rollback(); err != nil {
		return nil, err
	}
	return nil, l.within(ctx, func(tx pgx.Tx) error { return i.keep(ctx, tx) })
}

// finish is steps 2 and 3. Both can be taken again.
func (o *Outbox) finish(ctx context.Context, l *lease, i *intent) error {
	err := i.broken
	if err == nil {
		_, err = o.graph.Write(relation.WithOperation(ctx, relation.Operation{ID: i.operation, Guard: l.there}), i.updates)
	}
	if refused(err) {
		if o.atomic > 0 && len(i.updates) > o.atomic {
			// Some of it may be there, of which nobody knows how to undo it.
			return errors.Join(err, o.park(ctx, l, i, err))
		}
		// Nothing of it is there, and it would be refused for ever.
		if dropped := l.within(ctx, func(tx pgx.Tx) error { return i.drop(ctx, tx) }); dropped != nil {
			return unavailable(errors.Join(err, dropped), "nothing was written")
		}
		return err
	}
	if err != nil {
		return o.failed(ctx, l, i, err)
	}
	o.stepped(2)
	err = l.within(ctx, func(tx pgx.Tx) error {
		batch, err := i.statements.batch(0)
		if err != nil {
			return err
		}
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("write the rows of intent %d: %w", i.number, err)
		}
		return i.drop(ctx, tx)
	})
	if err != nil {
		return o.failed(ctx, l, i, err)
	}
	o.stepped(3)
	return nil
}

// finishAll finishes what others have left, in its order.
func (o *Outbox) finishAll(ctx context.Context, l *lease) error {
	for {
		var i *intent
		err := l.within(ctx, func(tx pgx.Tx) (err error) {
			i, err = lowest(ctx, tx)
			return err
		})
		if err != nil || i == nil {
			return err
		}
		if i.early {
			return fmt.Errorf("intent %d has failed %d times, and is soon tried again", i.number, i.attempts)
		}
		err = o.finish(ctx, l, i)
		switch {
		case refused(err):
			// Its writer would have been told so, and it is dropped.
			o.logger.ErrorContext(ctx, "write left by a server that ended was refused", "operation", i.operation, "error", err)
		case errors.Is(err, errParked):
		case err != nil:
			return fmt.Errorf("finish intent %d: %w", i.number, err)
		default:
			o.logger.InfoContext(ctx, "write left by a server that ended is finished", "operation", i.operation, "updates", len(i.updates))
		}
	}
}

// refused reports whether the graph found fault with what it was given. What it could not
// answer, or fails for a reason of its own, is tried again.
func refused(err error) bool {
	if err == nil {
		return false
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Precondition, fault.OutOfRange, fault.Exhausted, fault.Exists, fault.NotFound,
		fault.Denied, fault.Unauthenticated, fault.Unimplemented:
		return true
	case fault.Internal, fault.Unavailable, fault.Aborted, fault.Deadline, fault.Canceled:
	}
	return false
}

func unavailable(err error, what string) error {
	return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the database cannot be written now; %s", what).Because(err)
}
