package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// forget makes memory forget all revisions but the newest.
func forget(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.SweepAt(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// pastOf returns the moment of a revision, or of a time when that is nil.
func pastOf(ctx context.Context, t testing.TB, s *store.Store, r datastore.Revision, when time.Time) datastore.Revision {
	t.Helper()
	found, err := s.Past(ctx, r, when, true)
	if err != nil {
		t.Fatalf("the past at revision %v, time %v: %v", r, when, err)
	}
	return found.Revision
}

// alive returns the relationships of a moment that had not expired then, as texts.
func alive(t testing.TB, s *store.Store, r datastore.Revision) []string {
	t.Helper()
	all, err := s.SnapshotReader(r).QueryRelationships(t.Context(), datastore.RelationshipsFilter{})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for r, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, tuple.MustString(r))
	}
	slices.Sort(texts)
	return texts
}

// pastFault returns why a question about the past is refused.
func pastFault(t testing.TB, s *store.Store, r datastore.Revision, when time.Time, old bool) *relation.PastError {
	t.Helper()
	found, err := s.Past(t.Context(), r, when, old)
	p, ok := errors.AsType[*relation.PastError](err)
	if !ok {
		t.Fatalf("the past at revision %v, time %v: %v, %v; want a refusal", r, when, found.Revision, err)
	}
	return p
}

// world is what a test keeps of a store: what lived at each revision, and since when.
type world struct {
	revision datastore.Revision
	from     time.Time // the revision was not made before
	to       time.Time // and not after
	schema   string
	tuples   map[string]tuple.Relationship // by their ends
}

func (w world) alive(at time.Time) []string {
	texts := []string{}
	for _, r := range w.tuples {
		if r.OptionalExpiration == nil || r.OptionalExpiration.After(at) {
			texts = append(texts, tuple.MustString(r))
		}
	}
	slices.Sort(texts)
	return texts
}

// TestPastEqualsModel compares states from before what memory has with what the test wrote.
func TestPastEqualsModel(t *testing.T) {
	const revisions = 300
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	s := open(t, dir)
	now := time.Now().Truncate(time.Microsecond)

	model := map[string]tuple.Relationship{}
	schema := ""
	var history []world
	for n := range revisions {
		from := time.Now().Truncate(time.Microsecond)
		var r datastore.Revision
		if n%50 == 0 {
			schema = fmt.Sprint("schema", n)
			var err error
			if r, err = writeSchema(t.Context(), s, schema, "user", "party"); err != nil {
				t.Fatal(err)
			}
		} else {
			r = write(t, s, change(random, now, model)...)
		}
		w := world{r, from, time.Now(), schema, map[string]tuple.Relationship{}}
		for k, v := range model {
			w.tuples[k] = v
		}
		history = append(history, w)
		if random.IntN(60) == 0 {
			forget(t, s)
		}
		if random.IntN(100) == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
		}
	}
	forget(t, s)

	for range 150 {
		i := random.IntN(revisions - 1)
		w := history[i]
		ctx, end := context.WithCancel(t.Context())
		when := time.Time{}
		m := pastOf(ctx, t, s, w.revision, when)
		made := instant(t, m)
		if made.Before(w.from) || made.After(w.to) {
			t.Fatalf("revision %s was made at %s, between %s and %s", w.revision, made, w.from, w.to)
		}
		if diff := cmp.Diff(w.alive(made), alive(t, s, m)); diff != "" {
			t.Fatalf("at revision %s (-model +store):\n%s", w.revision, diff)
		}
		stored, err := s.SnapshotReader(m).ReadStoredSchema(t.Context())
		if err != nil || stored.Get().GetV1().GetSchemaHash() != w.schema {
			t.Fatalf("at revision %s the schema is %q, %v; want %q", w.revision, stored.Get().GetV1().GetSchemaHash(), err, w.schema)
		}
		// A time between two revisions is the former's, and its expiry is judged then.
		next := instant(t, pastOf(ctx, t, s, history[i+1].revision, time.Time{}))
		if next.After(made) {
			when = made.Add(time.Duration(random.Int64N(int64(next.Sub(made)))).Truncate(time.Microsecond))
			m = pastOf(ctx, t, s, nil, when)
			if diff := cmp.Diff(w.alive(when), alive(t, s, m)); diff != "" {
				t.Fatalf("at time %s of revision %s, %s (-model +store):\n%s", when, w.revision, m, diff)
			}
		}
		end()
	}
}

// instant returns the instant of a moment.
func instant(t testing.TB, m datastore.Revision) time.Time {
	t.Helper()
	dated, ok := m.(interface{ Instant() time.Time })
	if !ok {
		t.Fatalf("revision %s has no instant", m)
	}
	return dated.Instant()
}

// change returns random updates, of which the last of each relationship has come into the
// model.
func change(random *rand.Rand, now time.Time, model map[string]tuple.Relationship) []tuple.RelationshipUpdate {
	var updates []tuple.RelationshipUpdate
	seen := map[string]bool{}
	for range 1 + random.IntN(4) {
		ends := fmt.Sprintf("party:%d#dagl@user:%d", random.IntN(12), random.IntN(6))
		if seen[ends] {
			continue
		}
		seen[ends] = true
		if random.IntN(3) == 0 {
			updates = append(updates, remove(ends))
			delete(model, ends)
			continue
		}
		text := ends
		switch random.IntN(4) {
		case 0: // about when the test asks, so that some live at one moment and not at another
			text += "[expiration:" + now.Add(time.Duration(random.IntN(800))*time.Millisecond).UTC().Format(time.RFC3339Nano) + "]"
		case 1:
			text += fmt.Sprintf(`[only:{"n":%d}]`, random.IntN(3))
		}
		r := tuple.MustParse(text)
		updates = append(updates, tuple.Touch(r))
		model[ends] = r
	}
	return updates
}

func TestExpiryInThePast(t *testing.T) {
	s := open(t, t.TempDir())
	soon := time.Now().Add(2 * time.Second).Truncate(time.Microsecond)
	text := "party:1#dagl@user:1[expiration:" + soon.UTC().Format(time.RFC3339Nano) + "]"
	made := write(t, s, touch(text), touch("party:1#dagl@user:2"))
	for time.Now().Before(soon) { // its expiry is the subject
		time.Sleep(time.Until(soon))
	}
	write(t, s, remove("party:1#dagl@user:2"))
	forget(t, s)

	want := []string{tuple.MustString(tuple.MustParse(text)), "party:1#dagl@user:2"}
	slices.Sort(want)
	for name, c := range map[string]struct {
		of   datastore.Revision
		when time.Time
		want []string
	}{
		"the revision":               {made, time.Time{}, want},
		"a time just before the end": {nil, soon.Add(-time.Microsecond), want},
		"the end itself":             {nil, soon, []string{"party:1#dagl@user:2"}},
		"now":                        {nil, time.Now(), []string{}},
	} {
		if diff := cmp.Diff(c.want, alive(t, s, pastOf(t.Context(), t, s, c.of, c.when))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPastIsRefused(t *testing.T) {
	s := open(t, t.TempDir(), func(c *store.Config) { c.History = time.Hour; c.Memory = time.Minute })
	first := write(t, s, touch("party:1#dagl@user:1"))
	second := write(t, s, touch("party:1#dagl@user:2"))
	last := write(t, s, touch("party:1#dagl@user:3"))
	now := time.Now()
	ahead, _ := s.RevisionFromString("1000")

	// Who may not ask about old states may ask about what memory has.
	if r, err := s.Past(t.Context(), second, time.Time{}, false); err != nil || len(alive(t, s, r.Revision)) != 2 {
		t.Errorf("what memory has is refused: %v", err)
	}
	for name, c := range map[string]struct {
		of   datastore.Revision
		when time.Time
		want relation.PastFault
	}{
		"unknown":        {ahead, time.Time{}, relation.PastUnknown},
		"none":           {datastore.NoRevision, time.Time{}, relation.PastUnknown},
		"to come":        {nil, now.Add(time.Hour), relation.PastAhead},
		"before it all":  {nil, now.Add(-30 * time.Minute), relation.PastForgotten},
		"beyond history": {nil, now.Add(-2 * time.Hour), relation.PastForgotten},
	} {
		if p := pastFault(t, s, c.of, c.when, true); p.Fault != c.want {
			t.Errorf("%s: %v, want fault %d", name, p, c.want)
		}
	}
	if p := pastFault(t, s, nil, now.Add(-2*time.Minute), false); p.Fault != relation.PastGuarded {
		t.Errorf("a time from before memory: %v, want that it is guarded", p)
	}

	forget(t, s) // an hour on, all but the last has gone from the file as well
	for _, r := range []datastore.Revision{first, second} {
		if p := pastFault(t, s, r, time.Time{}, false); p.Fault != relation.PastGuarded {
			t.Errorf("revision %s without the right to ask: %v", r, p)
		}
		p := pastFault(t, s, r, time.Time{}, true)
		if p.Fault != relation.PastForgotten || p.OldestRevision != last.String() || p.Oldest.IsZero() {
			t.Errorf("revision %s that the file has no more: %+v", r, p)
		}
	}
	// The newest can be told however old it is.
	old := open(t, t.TempDir(), func(c *store.Config) { c.History = time.Microsecond })
	only := write(t, old, touch("party:1#dagl@user:1"))
	if got := alive(t, old, pastOf(t.Context(), t, old, only, time.Time{})); len(got) != 1 {
		t.Errorf("at a head older than the history: %v", got)
	}
	// A moment that nobody has asked for is no way in.
	m, err := s.RevisionFromString(first.String() + "@1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckRevision(t.Context(), m); err == nil {
		t.Error("a moment that was not made ready can be read")
	}
	if _, err := s.SnapshotReader(m).QueryRelationships(t.Context(), datastore.RelationshipsFilter{}); err == nil {
		t.Error("a moment that was not made ready is read")
	}
}

// TestTimeIsSettled asks about the very moment while others write: what is answered once is
// answered ever after.
func TestTimeIsSettled(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, end := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for n := range 4 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				_, err := s.ReadWriteTx(t.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
					return w.WriteRelationships(ctx, []tuple.RelationshipUpdate{touch(fmt.Sprintf("party:%d#dagl@user:%d", n, i))})
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	said := map[time.Time]datastore.Revision{}
	for n := range 200 {
		when := time.Now()
		said[when] = pastOf(t.Context(), t, s, nil, when)
		write(t, s, touch(fmt.Sprintf("party:9#dagl@user:%d", n))) // to ask in the midst of others
	}
	end()
	writers.Wait()
	for when, then := range said {
		if now := pastOf(t.Context(), t, s, nil, when); !now.Equal(then) {
			t.Errorf("at %s: %s, and later %s", when, then, now)
		}
	}
}

// TestRebuiltAreFew loads more states than are kept, from several sides at once.
func TestRebuiltAreFew(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := open(t, t.TempDir(), func(c *store.Config) { c.Rebuilt, c.Registerer = 2, registry })
	var revisions []datastore.Revision
	for i := range 6 {
		revisions = append(revisions, write(t, s, touch(fmt.Sprintf("party:%d#dagl@user:1", i))))
	}
	forget(t, s)
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			ctx, end := context.WithCancel(t.Context())
			defer end()
			n := i % 5 // the last one memory has
			found, err := s.Past(ctx, revisions[n], time.Time{}, true)
			if err != nil {
				t.Error(err)
				return
			}
			if got := alive(t, s, found.Revision); len(got) != n+1 {
				t.Errorf("at revision %s there are %v", found.Revision, got)
			}
		})
	}
	group.Wait()
	if n := metric(t, registry, "behalf_store_rebuilt_relationships"); n < 1 || n > 9 {
		t.Errorf("%v relationships are kept, which are not those of two states at most", n)
	}
	// Who finds no room waits, and gives up when he is no longer waited for.
	hold, end := context.WithCancel(t.Context())
	pastOf(hold, t, s, revisions[0], time.Time{})
	pastOf(hold, t, s, revisions[1], time.Time{})
	short, cancel := context.WithCancel(t.Context())
	waits := make(chan error, 1)
	go func() {
		_, err := s.Past(short, revisions[2], time.Time{}, true)
		waits <- err
	}()
	cancel()
	if err := <-waits; err == nil {
		t.Error("a third state was loaded where two are kept")
	}
	end()
	if got := alive(t, s, pastOf(t.Context(), t, s, revisions[2], time.Time{})); len(got) != 3 {
		t.Errorf("after the others have ended: %v", got)
	}
	// What nobody has used for a while goes, once the end of its user has come through.
	for deadline := time.Now().Add(patience); ; {
		if err := s.SweepAt(t.Context(), time.Now().Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		n := metric(t, registry, "behalf_store_rebuilt_relationships")
		if n == 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v relationships are kept, want the 3 of the state in use", n)
		}
	}
}

func metric(t testing.TB, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.GetName() == name {
			return m.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
