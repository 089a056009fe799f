package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// progressSteps is how many tuples are loaded between two reports.
const progressSteps = 100_000

// rowReader reads from the file what lived at one revision.
type rowReader struct {
	s    *Store
	from interface {
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
	when string // the rows that lived, by when they were made and ended
	args []any
}

// live reads what is live at the newest revision.
func (s *Store) live() rowReader {
	return rowReader{s: s, from: s.w.conn, when: "deleted IS NULL"}
}

// livedAt reads what lived at an older one.
func (s *Store) livedAt(tx *sql.Tx, r uint64) rowReader {
	return rowReader{s, tx, "created <= ?1 AND (deleted IS NULL OR deleted > ?1)", []any{int64(r)}}
}

// each scans all rows of a query on a table into targets, one after another, and calls f.
func (r rowReader) each(ctx context.Context, table, query string, args, targets []any, f func() error) error {
	rows, err := r.from.QueryContext(ctx, query, args...)
	if err != nil {
		return r.s.unreadable(table, err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return r.s.unreadable(table, err)
		}
		if err := f(); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return r.s.unreadable(table, err)
	}
	return nil
}

// words returns the relations by number.
func (r rowReader) words(ctx context.Context) (map[int64]word, error) {
	var (
		id  int64
		w   word
		all = make(map[int64]word)
	)
	err := r.each(ctx, "relation_word", "SELECT id, type, name FROM relation_word", nil, []any{&id, &w.typ, &w.name}, func() error {
		all[id] = w
		return nil
	})
	return all, err
}

// definitions returns the definitions.
func (r rowReader) definitions(ctx context.Context) (*catalog, error) {
	var (
		k       kind
		name    string
		created uint64
		body    []byte
		c       = &catalog{}
	)
	err := r.each(ctx, "definition", "SELECT kind, name, created, body FROM definition WHERE "+r.when, r.args,
		[]any{&k, &name, &created, &body}, func() error {
			e, err := newEntry(k, name, created, body)
			if err != nil {
				return r.s.damaged("definition", "%q of revision %d: %v", name, created, err)
			}
			c.put(e)
			return nil
		})
	return c, err
}

// load loads an empty graph with the tuples, and holds them against what their revision says
// of itself.
func (r rowReader) load(ctx context.Context, g *graph.Graph, words map[int64]word, h head, progress func(loaded, total int)) (*graph.Snapshot, error) {
	loader, err := g.NewLoader()
	if err != nil {
		return nil, err
	}
	defer loader.Drop()
	var (
		row tupleRow
		t   graph.Tuple
	)
	// In the order of the table itself, which is the fastest.
	err = r.each(ctx, "tuple", "SELECT "+tupleColumns+" FROM tuple NOT INDEXED WHERE "+r.when, r.args, row.targets(), func() error {
		err := row.tuple(&t, words, h.revision)
		if err == nil {
			err = loader.Add(&t)
		}
		if err != nil {
			return r.s.damaged("tuple", "row %d: %v", row.id, err)
		}
		if n := loader.Len(); n%progressSteps == 0 {
			progress(n, h.tuples)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	progress(loader.Len(), h.tuples)
	snapshot, err := loader.Finish(h.revision, h.at)
	if err != nil {
		return nil, r.s.unreadable("tuple", err)
	}
	if snapshot.Tuples() != h.tuples || snapshot.Sum() != h.sum {
		return nil, r.s.damaged("tuple", "it has %d rows live at revision %d with checksum %x; that revision left %d with checksum %x",
			snapshot.Tuples(), h.revision, snapshot.Sum(), h.tuples, h.sum)
	}
	return snapshot, nil
}

// tupleRow is a row of the table tuple. Its texts are good until the next row.
type tupleRow struct {
	id, hash, relation, kind, created int64
	resource, subject, caveat         sql.RawBytes
	context, note                     sql.RawBytes
	expires                           sql.NullInt64
}

// tupleColumns are what targets takes.
const tupleColumns = "id, hash, relation, resource, kind, subject, created, expires, caveat, context, note"

func (r *tupleRow) targets() []any {
	return []any{&r.id, &r.hash, &r.relation, &r.resource, &r.kind, &r.subject, &r.created, &r.expires, &r.caveat, &r.context, &r.note}
}

// tuple reads the row into t, whose texts are good as long as the row's.
func (r *tupleRow) tuple(t *graph.Tuple, words map[int64]word, head uint64) error {
	rel, ok1 := words[r.relation]
	kind, ok2 := words[r.kind]
	switch {
	case !ok1 || !ok2:
		return fmt.Errorf("relation_word has no number %d or %d", r.relation, r.kind)
	case r.created < 0 || uint64(r.created) > head:
		return fmt.Errorf("it was made by revision %d, and the newest is %d", r.created, head)
	}
	*t = graph.Tuple{Caveat: string(r.caveat), Context: string(r.context), Note: string(r.note)}
	t.Resource.Type, t.Resource.ID, t.Relation = rel.typ, view(r.resource), rel.name
	t.Subject.Type, t.Subject.ID, t.Subject.Relation = kind.typ, view(r.subject), kind.name
	if r.expires.Valid {
		t.Expires = time.UnixMicro(r.expires.Int64).UTC()
	}
	if have := hashOf(t); have != r.hash {
		return fmt.Errorf("its hash is %d and should be %d", r.hash, have)
	}
	return nil
}
