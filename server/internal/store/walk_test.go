package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// walkers is how many writers walk at a time.
const walkers = 4

// places is the number at which each walker is, 0 before its first step.
type places [walkers]int

// errRefused fails a step on purpose, after all of it was written.
var errRefused = errors.New("refused")

// step moves a walker to its next number in one transaction: three relationships of
// different shapes replace those of the number before, and a row says the same. Any part of
// it alone can be told from the whole.
func step(s *store.Store, w, n int, then error) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Statement("INSERT INTO store (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")
		if err != nil {
			return err
		}
		if _, err := row.ExecContext(ctx, walkerRow(w), strconv.Itoa(n)); err != nil {
			return err
		}
		who, err := structpb.NewStruct(map[string]any{"by": stepName(w, n)})
		if err != nil {
			return err
		}
		_, err = s.ReadWriteTx(ctx, func(ctx context.Context, rw datastore.ReadWriteTransaction) error {
			var updates []tuple.RelationshipUpdate
			for _, r := range place(w, n) {
				updates = append(updates, tuple.Create(r))
			}
			if n > 1 {
				for _, r := range place(w, n-1) {
					updates = append(updates, tuple.Delete(r))
				}
			}
			return rw.WriteRelationships(ctx, updates)
		}, options.WithMetadata(who))
		return errors.Join(err, then)
	}
}

// walk takes a walker's next step, now and then after one that is refused and must leave
// nothing.
func walk(ctx context.Context, s *store.Store, w, n int) (datastore.Revision, error) {
	if n%5 == 0 {
		if _, err := s.Write(ctx, step(s, w, n, errRefused)); !errors.Is(err, errRefused) {
			return nil, fmt.Errorf("a step that fails gets %w", err)
		}
	}
	return s.Write(ctx, step(s, w, n, nil))
}

func walkerRow(w int) string { return fmt.Sprintf("walker-%d", w) }

func stepName(w, n int) string { return fmt.Sprintf("%d to %d", w, n) }

// place is what is there while a walker is at a number.
func place(w, n int) []tuple.Relationship {
	return []tuple.Relationship{
		tuple.MustParse(fmt.Sprintf("walker:%d#place@number:%d", w, n)),
		tuple.MustParse(fmt.Sprintf(`walker:%d#left@number:%d#side[never:{"n":%d}]`, w, n, n)),
		tuple.MustParse(fmt.Sprintf("walker:%d#right@number:%d[expiration:2321-01-01T00:00:00Z]", w, n)),
	}
}

// stepEvent is what a watcher must be told of a step.
func stepEvent(w, n int) event {
	e := event{Metadata: []string{stepName(w, n)}}
	for _, r := range place(w, n) {
		e.Updates = append(e.Updates, "TOUCH "+tuple.MustString(r))
	}
	if n > 1 {
		for _, r := range place(w, n-1) {
			e.Updates = append(e.Updates, "DELETE "+tuple.MustString(r))
		}
	}
	slices.Sort(e.Updates)
	return e
}

// inspect returns where the walkers are, and fails when the head is not made of whole steps
// or when graph and file are not equal.
func inspect(ctx context.Context, s *store.Store) (at places, err error) {
	h, err := s.HeadRevision(ctx)
	if err != nil {
		return at, err
	}
	got, err := graphTuples(ctx, s, h.Revision)
	if err != nil {
		return at, err
	}
	if at, err = rowPlaces(ctx, s); err != nil {
		return at, err
	}
	var want []string
	for w, n := range at {
		if n > 0 {
			for _, r := range place(w, n) {
				want = append(want, tuple.MustString(r))
			}
		}
	}
	slices.Sort(want)
	if !slices.Equal(want, got) {
		return at, fmt.Errorf("the rows say that walkers are at %d, the graph has %q", at, got)
	}
	return at, equal(ctx, s)
}

// rowPlaces returns where the walkers are by their rows.
func rowPlaces(ctx context.Context, s *store.Store) (at places, err error) {
	for w := range at {
		n, err := s.Rows(ctx, "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM store WHERE name = '"+walkerRow(w)+"'")
		if err != nil {
			return at, err
		}
		at[w] = int(n)
	}
	return at, nil
}

// equal fails when the graph's relationships are not those that the file has live. Nobody
// may write meanwhile.
func equal(ctx context.Context, s *store.Store) error {
	h, err := s.HeadRevision(ctx)
	if err != nil {
		return err
	}
	if last, err := s.Rows(ctx, "SELECT max(revision) FROM revision"); err != nil || strconv.FormatInt(last, 10) != h.Revision.String() {
		return fmt.Errorf("the graph is at revision %s and the file at %d, %w", h.Revision, last, err)
	}
	inGraph, err := graphTuples(ctx, s, h.Revision)
	if err != nil {
		return err
	}
	inFile, err := fileTuples(ctx, s.Read())
	if err != nil {
		return err
	}
	if diff := cmp.Diff(inFile, inGraph); diff != "" {
		return fmt.Errorf("graph and file differ (-file +graph):\n%s", diff)
	}
	return nil
}

// graphTuples returns the relationships of a revision, expired ones included, as texts.
func graphTuples(ctx context.Context, s *store.Store, r datastore.Revision) ([]string, error) {
	all, err := s.SnapshotReader(r).QueryRelationships(ctx, datastore.RelationshipsFilter{}, options.WithSkipExpiration(true))
	if err != nil {
		return nil, err
	}
	texts := []string{}
	for r, err := range all {
		if err != nil {
			return nil, err
		}
		texts = append(texts, tuple.MustString(r))
	}
	slices.Sort(texts)
	return texts, nil
}

// fileTuples returns the live relationships of a file as texts. It shares nothing with the
// way in which the store reads them.
func fileTuples(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT r.type, t.resource, r.name, k.type, t.subject, k.name, t.expires, t.caveat, t.context
		FROM tuple t NOT INDEXED JOIN relation_word r ON r.id = t.relation JOIN relation_word k ON k.id = t.kind WHERE t.deleted IS NULL`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	texts := []string{}
	for rows.Next() {
		var (
			t       tuple.Relationship
			expires sql.NullInt64
			caveat  sql.NullString
			context []byte
		)
		err := rows.Scan(&t.Resource.ObjectType, &t.Resource.ObjectID, &t.Resource.Relation,
			&t.Subject.ObjectType, &t.Subject.ObjectID, &t.Subject.Relation, &expires, &caveat, &context)
		if err != nil {
			return nil, err
		}
		if t.Subject.Relation == "" {
			t.Subject.Relation = tuple.Ellipsis
		}
		if expires.Valid {
			at := time.UnixMicro(expires.Int64).UTC()
			t.OptionalExpiration = &at
		}
		if caveat.Valid {
			t.OptionalCaveat = &core.ContextualizedCaveat{CaveatName: caveat.String, Context: &structpb.Struct{}}
			if err := proto.Unmarshal(context, t.OptionalCaveat.Context); err != nil {
				return nil, err
			}
		}
		texts = append(texts, tuple.MustString(t))
	}
	slices.Sort(texts)
	return texts, rows.Err()
}
