package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// live writes some of everything and returns a revision in the middle.
func live(t *testing.T, s *store.Store) (middle datastore.Revision) {
	t.Helper()
	if _, err := writeSchema(t.Context(), s, "first", "user", "party"); err != nil {
		t.Fatal(err)
	}
	write(t, s, touch("party:1#dagl@user:1"), touch("party:1#regn_org@party:2"), touch("group:1#member@group:2#member"))
	write(t, s, touch("party:2#dagl@user:2[expiration:2321-01-01T00:00:00.123456Z]"), touch(`party:2#lede@user:2[never:{"a":[1,{"b":null}]}]`))
	middle = write(t, s, remove("party:1#dagl@user:1"), touch("party:2#dagl@user:2"), touch("party:3#dagl@user:*"))
	write(t, s, touch("party:3#dagl@user:*")) // changes nothing
	metadata, err := structpb.NewStruct(map[string]any{"by": "me"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ReadWriteTx(t.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		if err := w.WriteRelationships(ctx, []tuple.RelationshipUpdate{remove("party:2#lede@user:2"), touch("party:1#dagl@user:1")}); err != nil {
			return err
		}
		if err := w.LegacyWriteNamespaces(ctx, &core.NamespaceDefinition{Name: "document"}); err != nil {
			return err
		}
		if err := w.RegisterCounter(ctx, "parties", &core.RelationshipFilter{ResourceType: "party"}); err != nil {
			return err
		}
		return w.StoreCounterValue(ctx, "parties", 7, middle)
	}, options.WithMetadata(metadata))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writeSchema(t.Context(), s, "second", "user", "group"); err != nil {
		t.Fatal(err)
	}
	return middle
}

// state is what a store says of itself.
type state struct {
	ID, Head, Hash string
	Tuples         []string
	Counters       []string
	Objects        []string
	All, Some      []event
}

func stateOf(t *testing.T, s *store.Store, middle datastore.Revision) state {
	t.Helper()
	id, _ := s.UniqueID(t.Context())
	h, err := s.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st := state{ID: id, Head: h.Revision.String(), Hash: h.SchemaHash, Tuples: tuples(t, s, h.Revision)}
	r := s.SnapshotReader(h.Revision)
	counters, err := r.LookupCounters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counters {
		st.Counters = append(st.Counters, c.Name+" "+c.Filter.GetResourceType()+" "+c.ComputedAtRevision.String())
	}
	objects, err := r.LegacyListAllNamespaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		st.Objects = append(st.Objects, o.Definition.GetName()+" "+o.LastWrittenRevision.String())
	}
	first, _ := s.RevisionFromString("1")
	st.All, st.Some = watched(t, s, first), watched(t, s, middle)
	return st
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	middle := live(t, s)
	before := stateOf(t, s, middle)
	if len(before.Tuples) != 5 || before.Hash != "second" || len(before.All) != 6 || len(before.Some) != 2 || len(before.Counters) != 1 || len(before.Objects) != 1 {
		t.Fatalf("before the restart: %+v", before)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if diff := cmp.Diff(before, stateOf(t, s, middle)); diff != "" {
		t.Errorf("after the restart (-before +after):\n%s", diff)
	}
	next := write(t, s, remove("party:1#dagl@user:1"))
	if last, _ := s.RevisionFromString(before.Head); !next.GreaterThan(last) {
		t.Errorf("revision %s after the restart, %s before", next, last)
	}
	if got := watched(t, s, middle); len(got) != 3 || got[2].Updates[0] != "DELETE party:1#dagl@user:1" {
		t.Errorf("a watch over the restart says %+v", got)
	}
}

func TestRevisionsThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	middle := live(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	ahead, err := s.RevisionFromString("1000")
	if err != nil {
		t.Fatal(err)
	}
	for r, want := range map[datastore.Revision]datastore.InvalidRevisionReason{
		middle:               datastore.RevisionStale, // memory has the head only
		ahead:                datastore.CouldNotDetermineRevision,
		datastore.NoRevision: datastore.CouldNotDetermineRevision,
	} {
		var invalid datastore.InvalidRevisionError
		if err := s.CheckRevision(t.Context(), r); !errors.As(err, &invalid) || invalid.Reason() != want {
			t.Errorf("CheckRevision(%s) = %v, want reason %d", r, err, want)
		}
		if _, err := s.SnapshotReader(r).QueryRelationships(t.Context(), datastore.RelationshipsFilter{}); !errors.As(err, &invalid) {
			t.Errorf("a read at revision %s: %v, want a refusal", r, err)
		}
	}
	changes, faults := s.Watch(t.Context(), ahead, datastore.WatchJustRelationships())
	var invalid datastore.InvalidRevisionError
	if err := <-faults; !errors.As(err, &invalid) {
		t.Errorf("a watch from the future: %v, want a refusal", err)
	}
	if _, ok := <-changes; ok {
		t.Error("a watch from the future sends something")
	}
	for _, text := range []string{"", "x", "-1", "01", "1.5"} {
		if r, err := s.RevisionFromString(text); err == nil {
			t.Errorf("RevisionFromString(%q) = %s, want an error", text, r)
		}
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, func(c *store.Config) { c.History = time.Hour })
	middle := live(t, s)
	last := head(t, s)
	left := tuples(t, s, last)
	if err := s.SweepAt(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if len(watched(t, s, middle)) != 2 {
		t.Error("a sweep removed what is not too old")
	}
	if err := s.SweepAt(t.Context(), time.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM revision":                             1,
		"SELECT count(*) FROM tuple WHERE deleted IS NOT NULL":      0,
		"SELECT count(*) FROM tuple":                                int64(len(left)),
		"SELECT count(*) FROM definition WHERE deleted IS NOT NULL": 0,
		"SELECT count(*) FROM definition WHERE kind = 1":            1,
	} {
		if n, err := s.Rows(t.Context(), query); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", query, n, err, want)
		}
	}
	_, faults := s.Watch(t.Context(), middle, datastore.WatchJustRelationships())
	var invalid datastore.InvalidRevisionError
	if err := <-faults; !errors.As(err, &invalid) || invalid.Reason() != datastore.RevisionStale {
		t.Errorf("a watch from before the history: %v, want a refusal", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if diff := cmp.Diff(left, tuples(t, s, head(t, s))); diff != "" {
		t.Errorf("after a sweep and a restart:\n%s", diff)
	}
}

// TestExpire removes what expired long ago, and nothing that was written again meanwhile.
func TestExpire(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ends := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	const expiring = "party:%d#dagl@user:1[expiration:2030-01-01T00:00:00Z]"
	var updates []tuple.RelationshipUpdate
	for i := range 2500 { // more than one step removes
		updates = append(updates, tuple.Touch(tuple.MustParse(fmt.Sprintf(expiring, i))))
	}
	write(t, s, append(updates, tuple.Touch(tuple.MustParse("party:1#lede@user:1")), tuple.Touch(tuple.MustParse("party:1#lede@user:2[expiration:2031-01-01T00:00:00Z]")))...)
	before := head(t, s)
	if err := s.ExpireAt(t.Context(), ends.Add(23*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := len(tuples(t, s, head(t, s))); got != 2502 {
		t.Errorf("a day has not passed, and there are %d of 2502", got)
	}
	if err := s.ExpireAt(t.Context(), ends.Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	left := tuples(t, s, head(t, s))
	if len(left) != 2 {
		t.Errorf("%d are left, want the two that had not expired a day ago", len(left))
	}
	if got := len(watched(t, s, before)); got == 0 {
		t.Error("who watches is not told")
	}
	create := tuple.Create(tuple.MustParse(strings.Replace(fmt.Sprintf(expiring, 7), "2030", "2040", 1)))
	write(t, s, create)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got := len(tuples(t, s, head(t, s))); got != 3 {
		t.Errorf("%d after a restart, want 3", got)
	}
}

func TestExpiryIsJudgedAtTheRequest(t *testing.T) {
	s := open(t, t.TempDir())
	r := write(t, s, tuple.Touch(tuple.MustParse("party:1#dagl@user:1[expiration:2030-01-01T00:00:00Z]")))
	ends := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]int{ends.Add(-time.Nanosecond): 1, ends: 0, ends.Add(time.Hour): 0} {
		n := 0
		found, err := s.SnapshotReader(r).QueryRelationships(asOf(t.Context(), at), datastore.RelationshipsFilter{OptionalResourceType: "party"})
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range found {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want {
			t.Errorf("at %s there are %d, want %d", at, n, want)
		}
	}
}
