package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// maxAttempts is how often a transaction is run that fails with ErrRetry.
const maxAttempts = 10

// Tx is the open transaction of a Write. It is for one goroutine, and ends with the function
// that it was given to.
type Tx struct {
	s        *Store
	graph    *graph.Tx
	start    position
	catalog  *catalog // start.catalog until a definition is written
	revision uint64
	metadata *structpb.Struct
	seals    bool // somebody was told its revision
	failed   error
	ended    bool
}

// Statement returns a prepared statement on the transaction's connection. It is prepared
// once for the life of the store and must not be closed. It must not be run with a context
// that can be canceled: SQLite would undo what others have written as well. The context
// that Write gives cannot.
func (tx *Tx) Statement(text string) (*sql.Stmt, error) {
	if tx.ended {
		return nil, errEnded
	}
	return tx.s.w.statement(text)
}

type txKey struct{ *Store }

// Write runs f in a transaction of the file and of the graph, and returns the newest
// revision when both are committed. With the context that f is given, a ReadWriteTx of the
// store, and so whatever SpiceDB writes, is part of this transaction, and so is another
// Write. When f fails, or one that was part of it, nothing was written.
//
// f must not wait for anything but the transaction; see the package. It is run once: an
// error that wraps ErrRetry says that it may be tried again.
func (s *Store) Write(ctx context.Context, f func(ctx context.Context, tx *Tx) error) (datastore.Revision, error) {
	if tx, ok := ctx.Value(txKey{s}).(*Tx); ok {
		return revision(tx.revision), tx.join(func() error { return f(ctx, tx) })
	}
	return s.transact(ctx, 1, nil, func(tx *Tx) error {
		return f(context.WithValue(context.WithoutCancel(ctx), txKey{s}, tx), tx)
	})
}

// ReadWriteTx runs f in a transaction, or in the one of the Write that ctx comes from.
func (s *Store) ReadWriteTx(ctx context.Context, f datastore.TxUserFunc, opts ...options.RWTOptionsOption) (datastore.Revision, error) {
	config := options.NewRWTOptionsWithOptions(opts...)
	run := func(tx *Tx) error {
		tx.seals = true
		if err := tx.assertSchema(config.SchemaHashPrecondition); err != nil {
			return err
		}
		return f(ctx, &readWrite{tx: tx})
	}
	if tx, ok := ctx.Value(txKey{s}).(*Tx); ok {
		if len(config.Metadata.GetFields()) > 0 {
			tx.metadata = config.Metadata
		}
		return revision(tx.revision), tx.join(func() error { return run(tx) })
	}
	attempts := maxAttempts
	if config.DisableRetries {
		attempts = 1
	}
	return s.transact(ctx, attempts, config.Metadata, run)
}

// assertSchema fails when the schema is not the one with the hash.
func (tx *Tx) assertSchema(hash string) error {
	if hash == "" {
		return nil
	}
	if _, ok := tx.catalog.find(kindSchema, ""); !ok {
		return datastore.ErrSchemaNotFound
	}
	if tx.catalog.hash() != hash {
		return datastore.ErrSchemaHashPreconditionFailed
	}
	return nil
}

// join runs a part of the transaction. A part that fails may have left something half done,
// so the whole fails with it, whatever the caller makes of the error.
func (tx *Tx) join(f func() error) error {
	if tx.ended {
		return errEnded
	}
	if tx.failed == nil {
		tx.failed = f()
	}
	return tx.failed
}

// transact runs f, again when it is undone for no fault of its own.
func (s *Store) transact(ctx context.Context, attempts int, metadata *structpb.Struct, f func(*Tx) error) (datastore.Revision, error) {
	for n := 1; ; n++ {
		r, err := s.attempt(ctx, metadata, f)
		if err == nil {
			return revision(r), nil
		}
		if n >= attempts || !errors.Is(err, ErrRetry) || ctx.Err() != nil {
			return datastore.NoRevision, damage(ctx, s.cfg.Path, err)
		}
	}
}

// attempt waits for the writer's turn, takes it, and waits for its group.
func (s *Store) attempt(ctx context.Context, metadata *structpb.Struct, f func(*Tx) error) (uint64, error) {
	j := newJob()
	if err := s.wait(ctx, j); err != nil {
		return 0, err
	}
	r, broke, err := s.turn(ctx, j, metadata, f)
	if broke {
		return 0, err // the others' answer is that they should try again, this one's is why
	}
	// A refusal waits as well: it may rest on what the group wrote before it.
	if failed := <-j.committed; failed != nil {
		return 0, failed
	}
	return r, err
}

// turn runs a writer in its place in the group.
func (s *Store) turn(ctx context.Context, j *job, metadata *structpb.Struct, f func(*Tx) error) (r uint64, broke bool, err error) {
	var end ending
	defer func() { j.ended <- end }() // whatever happens: the committer waits for it
	tx := &Tx{s: s, start: s.w.position, catalog: s.w.catalog, revision: s.w.revision + 1, metadata: metadata}
	if err := s.w.exec(sqlSavepoint); err != nil {
		end.broken = err
		return 0, true, &writeError{"begin", err}
	}
	tx.graph = s.graph.Begin()
	done := false
	defer func() { // also when f panics
		tx.ended = true
		if !done {
			if undo := tx.undo(); undo != nil {
				end, broke = ending{broken: undo}, true
				err = errors.Join(err, undo)
			}
		}
	}()
	err = f(tx)
	switch {
	case errors.Is(tx.failed, datastore.ErrSchemaHashPreconditionFailed):
		// The schema has changed since the caller looked at it.
		return 0, false, fmt.Errorf("%w: %w", ErrRetry, tx.failed)
	case err != nil:
		return 0, false, err
	case tx.failed != nil:
		return 0, false, tx.failed
	}
	if ctx.Err() != nil {
		return 0, false, goneError(ctx)
	}
	if end, err = tx.seal(); err != nil {
		end = ending{}
		return 0, false, err
	}
	done = true
	return s.w.revision, false, nil
}

// undo takes back what the transaction did.
func (tx *Tx) undo() error {
	tx.graph.Drop()
	tx.s.w.back(tx.start)
	if err := tx.s.w.exec(sqlBack); err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	if err := tx.s.w.exec(sqlRelease); err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	return nil
}

// seal writes the rows of what the transaction did and gives it its revision. One that
// changed nothing that has revisions gets none.
func (tx *Tx) seal() (ending, error) {
	w := &tx.s.w
	if !tx.seals && !tx.graph.Changed() && tx.catalog == tx.start.catalog {
		if err := w.exec(sqlRelease); err != nil {
			return ending{}, &writeError{"write", err}
		}
		tx.graph.Drop()
		return ending{}, nil
	}
	at := w.now()
	end, err := tx.writeRows(at.UnixMicro())
	if err != nil {
		return ending{}, err
	}
	if err := w.exec(sqlRelease); err != nil {
		return ending{}, &writeError{"write", err}
	}
	if _, err := tx.graph.Seal(tx.revision, at); err != nil {
		return ending{}, fmt.Errorf("seal revision %d: %w", tx.revision, err)
	}
	w.revision, w.at, w.catalog = tx.revision, at, tx.catalog
	return end, nil
}

// writeRows writes what the transaction did.
func (tx *Tx) writeRows(at int64) (ending, error) {
	w := &tx.s.w
	end := ending{revision: tx.revision}
	first := w.tuple
	for u, was := range tx.graph.Changes() {
		end.changes++
		if was {
			if err := w.endTuple(tx.revision, &u.Tuple); err != nil {
				return end, &writeError{"end a relationship", err}
			}
		}
		if u.Op == touch {
			if err := w.startTuple(tx.revision, &u.Tuple); err != nil {
				return end, &writeError{"write a relationship", err}
			}
		}
	}
	if tx.catalog != tx.start.catalog {
		end.catalog = tx.catalog
		if err := w.putDefinitions(tx.revision, tx.start.catalog, tx.catalog); err != nil {
			return end, &writeError{"write the schema", err}
		}
		schema, err := schemaChange(tx.start.catalog, tx.catalog)
		if err != nil {
			return end, err
		}
		end.note.schema = schema
	}
	var metadata any
	if len(tx.metadata.GetFields()) > 0 {
		end.note.metadata = tx.metadata
		text, err := encodeMetadata(tx.metadata)
		if err != nil {
			return end, err
		}
		metadata = text
	}
	after := tx.graph.View()
	err := w.exec(sqlInsertRevision, int64(tx.revision), at, first, after.Tuples(), int64(after.Sum()), metadata)
	if err != nil {
		return end, &writeError{"write the revision", err}
	}
	return end, nil
}
