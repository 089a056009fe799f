package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// filedRevisions is how many revisions are read from the file at a time.
const filedRevisions = 256

// filed is what the file says of one revision.
type filed struct {
	revision uint64
	first    int64 // the least id of its tuples
	note     note
	made     map[relation.Relationship]bool // without their payloads
	updates  []tuple.RelationshipUpdate
	was, is  catalog // the definitions that it changed
}

// sendFiled sends the next revisions from the file.
func (w *watcher) sendFiled(ctx context.Context) error {
	tx, err := w.s.read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	f := fileReader{tx: tx, head: w.s.graph.Head().Revision()}
	oldest, err := f.oldest(ctx)
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	if w.at < oldest {
		return datastore.NewInvalidRevisionErr(revision(w.at), datastore.RevisionStale)
	}
	all, err := f.revisions(ctx, w.at)
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	from := w.at
	for i := range all {
		event := datastore.RevisionChanges{Revision: revision(all[i].revision)}
		if w.content&datastore.WatchRelationships != 0 {
			event.RelationshipChanges = all[i].updates
		}
		if err := w.sendEvent(ctx, event, all[i].note); err != nil {
			return err
		}
	}
	return w.checkpoint(ctx, from)
}

// fileReader reads history in one transaction of the file.
type fileReader struct {
	tx   *sql.Tx
	head uint64 // what is published; the file may be ahead
}

// oldest returns the oldest revision that the file can be resumed from.
func (f *fileReader) oldest(ctx context.Context) (r uint64, err error) {
	err = f.tx.QueryRowContext(ctx, "SELECT coalesce(min(revision), 0) FROM revision").Scan(&r)
	return r, err
}

// revisions returns the next revisions after one, with what they changed.
func (f *fileReader) revisions(ctx context.Context, after uint64) ([]filed, error) {
	all, end, err := f.heads(ctx, after)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	last := all[len(all)-1].revision
	at := make(map[uint64]*filed, len(all))
	for i := range all {
		at[all[i].revision] = &all[i]
	}
	err = f.tuples(ctx, sqlMade, func(t *graph.Tuple, created uint64, _ sql.NullInt64) error {
		r := at[created]
		if r == nil {
			return nil
		}
		r.made[ends(t)] = true
		return r.add(touch, t)
	}, all[0].first, end)
	if err != nil {
		return nil, err
	}
	err = f.tuples(ctx, sqlEnded, func(t *graph.Tuple, _ uint64, deleted sql.NullInt64) error {
		r := at[uint64(deleted.Int64)]
		if r == nil || r.made[ends(t)] {
			return nil // it was replaced
		}
		return r.add(relation.Delete, t)
	}, int64(after), int64(last))
	if err != nil {
		return nil, err
	}
	return all, f.definitions(ctx, at, after, last)
}

func ends(t *graph.Tuple) relation.Relationship {
	r := t.Relationship
	r.Expires = time.Time{}
	return r
}

func (r *filed) add(op relation.Op, t *graph.Tuple) error {
	u, err := updateOf(&graph.Update{Op: op, Tuple: *t})
	if err != nil {
		return err
	}
	r.updates = append(r.updates, u)
	return nil
}

// heads returns the next revisions, and the id at which the tuples of those after begin.
func (f *fileReader) heads(ctx context.Context, after uint64) (all []filed, end int64, err error) {
	rows, err := f.tx.QueryContext(ctx, `SELECT revision, first_tuple, metadata FROM revision
		WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?`, int64(after), int64(f.head), filedRevisions+1)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		r := filed{made: make(map[relation.Relationship]bool)}
		var metadata []byte
		if err := rows.Scan(&r.revision, &r.first, &metadata); err != nil {
			return nil, 0, err
		}
		if r.note.metadata, err = decodeMetadata(metadata); err != nil {
			return nil, 0, err
		}
		all = append(all, r)
	}
	end = 1<<63 - 1
	if len(all) > filedRevisions {
		end = all[filedRevisions].first
		all = all[:filedRevisions]
	}
	return all, end, rows.Err()
}

const (
	// sqlTuples selects tuples with their names.
	sqlTuples = `SELECT r.type, tuple.resource, r.name, k.type, tuple.subject, k.name,
			tuple.created, tuple.deleted, tuple.expires, tuple.caveat, tuple.context, tuple.note
		FROM tuple JOIN relation_word AS r ON r.id = tuple.relation JOIN relation_word AS k ON k.id = tuple.kind `
	sqlMade  = sqlTuples + "WHERE tuple.id >= ? AND tuple.id < ? ORDER BY tuple.id"
	sqlEnded = sqlTuples + "WHERE tuple.deleted > ? AND tuple.deleted <= ? ORDER BY tuple.deleted, tuple.id"
)

// tuples calls each for every tuple that a query selects.
func (f *fileReader) tuples(ctx context.Context, query string, each func(t *graph.Tuple, created uint64, deleted sql.NullInt64) error, args ...any) error {
	rows, err := f.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		var (
			t                graph.Tuple
			created          uint64
			deleted, expires sql.NullInt64
			caveat           sql.NullString
			context, note    []byte
		)
		err := rows.Scan(&t.Resource.Type, &t.Resource.ID, &t.Relation, &t.Subject.Type, &t.Subject.ID, &t.Subject.Relation,
			&created, &deleted, &expires, &caveat, &context, &note)
		if err != nil {
			return err
		}
		if expires.Valid {
			t.Expires = time.UnixMicro(expires.Int64).UTC()
		}
		t.Caveat, t.Context, t.Note = caveat.String, string(context), string(note)
		if err := each(&t, created, deleted); err != nil {
			return err
		}
	}
	return rows.Err()
}

// definitions adds what became of the schema.
func (f *fileReader) definitions(ctx context.Context, at map[uint64]*filed, after, last uint64) error {
	rows, err := f.tx.QueryContext(ctx, `SELECT kind, name, created, deleted, body FROM definition
		WHERE created BETWEEN ?1 AND ?2 OR deleted BETWEEN ?1 AND ?2`, int64(after)+1, int64(last))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		var (
			k       kind
			name    string
			created uint64
			deleted sql.NullInt64
			body    []byte
		)
		if err := rows.Scan(&k, &name, &created, &deleted, &body); err != nil {
			return err
		}
		e, err := newEntry(k, name, created, body)
		if err != nil {
			return fmt.Errorf("decode definition %q of revision %d: %w", name, created, err)
		}
		if r := at[created]; r != nil {
			r.is.put(e)
		}
		if r := at[uint64(deleted.Int64)]; deleted.Valid && r != nil {
			r.was.put(e)
		}
	}
	for _, r := range at {
		if r.note.schema, err = schemaChange(&r.was, &r.is); err != nil {
			return err
		}
	}
	return rows.Err()
}
