package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// progressSteps is how many tuples are loaded between two reports.
const progressSteps = 100_000

// head is what the newest row of the table revision says.
type head struct {
	revision uint64
	at       time.Time
	tuples   int
	sum      uint64
}

// load fills the graph, the definitions and the writer's position from the file, and holds
// what it reads against the checksum of the newest revision.
func (s *Store) load(ctx context.Context) error {
	if err := s.check(ctx, s.w.conn, "quick_check"); err != nil {
		return err
	}
	head, err := s.loadHead(ctx)
	if err != nil {
		return err
	}
	if err := s.loadWords(ctx); err != nil {
		return err
	}
	c, err := s.loadCatalog(ctx)
	if err != nil {
		return err
	}
	last, err := s.loadTuples(ctx, head)
	if err != nil {
		return err
	}
	s.catalogs.Store(&[]dated{{head.revision, c}})
	s.w.position = position{revision: head.revision, at: head.at, tuple: last + 1, catalog: c}
	return nil
}

func (s *Store) loadHead(ctx context.Context) (head, error) {
	var (
		h       head
		at, sum int64
	)
	err := s.w.conn.QueryRowContext(ctx, "SELECT revision, at, tuples, sum FROM revision ORDER BY revision DESC LIMIT 1").
		Scan(&h.revision, &at, &h.tuples, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return h, s.damaged("revision", "it is empty")
	}
	if err != nil {
		return h, s.unreadable("revision", err)
	}
	h.at, h.sum = time.UnixMicro(at).UTC(), uint64(sum)
	return h, nil
}

func (s *Store) loadWords(ctx context.Context) error {
	rows, err := s.w.conn.QueryContext(ctx, "SELECT id, type, name FROM relation_word")
	if err != nil {
		return s.unreadable("relation_word", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		var (
			id   int64
			word word
		)
		if err := rows.Scan(&id, &word.typ, &word.name); err != nil {
			return s.unreadable("relation_word", err)
		}
		s.w.words[word] = id
	}
	if err := rows.Err(); err != nil {
		return s.unreadable("relation_word", err)
	}
	return nil
}

func (s *Store) loadCatalog(ctx context.Context) (*catalog, error) {
	rows, err := s.w.conn.QueryContext(ctx, "SELECT kind, name, created, body FROM definition WHERE deleted IS NULL")
	if err != nil {
		return nil, s.unreadable("definition", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	c := &catalog{}
	for rows.Next() {
		var (
			k       kind
			name    string
			created uint64
			body    []byte
		)
		if err := rows.Scan(&k, &name, &created, &body); err != nil {
			return nil, s.unreadable("definition", err)
		}
		e, err := newEntry(k, name, created, body)
		if err != nil {
			return nil, s.damaged("definition", "%q of revision %d: %v", name, created, err)
		}
		c.put(e)
	}
	if err := rows.Err(); err != nil {
		return nil, s.unreadable("definition", err)
	}
	return c, nil
}

// loadTuples loads the graph with all live tuples, and returns the greatest id of a row.
func (s *Store) loadTuples(ctx context.Context, h head) (last int64, err error) {
	err = s.w.conn.QueryRowContext(ctx, `SELECT max(coalesce((SELECT max(id) FROM tuple), 0),
		(SELECT first_tuple - 1 FROM revision ORDER BY revision DESC LIMIT 1))`).Scan(&last)
	if err != nil {
		return 0, s.unreadable("tuple", err)
	}
	loader, err := s.graph.NewLoader()
	if err != nil {
		return 0, err
	}
	defer loader.Drop()
	if err := s.scanTuples(ctx, loader, h); err != nil {
		return 0, err
	}
	snapshot, err := loader.Finish(h.revision, h.at)
	if err != nil {
		return 0, s.unreadable("tuple", err)
	}
	if snapshot.Tuples() != h.tuples || snapshot.Sum() != h.sum {
		return 0, s.damaged("tuple", "it has %d live rows with checksum %x; revision %d left %d with checksum %x",
			snapshot.Tuples(), snapshot.Sum(), h.revision, h.tuples, h.sum)
	}
	return last, nil
}

func (s *Store) scanTuples(ctx context.Context, loader *graph.Loader, h head) error {
	words := make(map[int64]word, len(s.w.words))
	for word, id := range s.w.words {
		words[id] = word
	}
	// In the order of the table itself, which is the fastest.
	rows, err := s.w.conn.QueryContext(ctx, `SELECT id, hash, relation, resource, kind, subject, created, expires, caveat, context, note
		FROM tuple NOT INDEXED WHERE deleted IS NULL`)
	if err != nil {
		return s.unreadable("tuple", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	var (
		row     tupleRow
		targets = row.targets()
		t       graph.Tuple
	)
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return s.unreadable("tuple", err)
		}
		if err := row.tuple(&t, words, h.revision); err != nil {
			return s.damaged("tuple", "row %d: %v", row.id, err)
		}
		if err := loader.Add(&t); err != nil {
			return s.damaged("tuple", "row %d: %v", row.id, err)
		}
		if n := loader.Len(); n%progressSteps == 0 {
			s.cfg.Progress(n, h.tuples)
		}
	}
	if err := rows.Err(); err != nil {
		return s.unreadable("tuple", err)
	}
	s.cfg.Progress(loader.Len(), h.tuples)
	return nil
}

// tupleRow is a row of the table tuple. Its texts are good until the next row.
type tupleRow struct {
	id, hash, relation, kind, created int64
	resource, subject, caveat         sql.RawBytes
	context, note                     sql.RawBytes
	expires                           sql.NullInt64
}

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
