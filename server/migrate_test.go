package server

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// first is a release's own schema, and next returns the one after it.
func first() ownSchema {
	return ownSchema{"definition user {}\ndefinition party {\nrelation boss: user\npermission act = boss\n}", []relations.Step{{Version: 1, Oldest: 1}}}
}

func next(replace, by string, s relations.Step) ownSchema {
	o := first()
	return ownSchema{strings.ReplaceAll(o.text, replace, by), append(o.steps, s)}
}

// release opens a data directory as a release with that schema does.
func release(t *testing.T, dir string, own ownSchema) (*Server, step, error) {
	t.Helper()
	s := &Server{cfg: Config{DataDir: dir}.withDefaults()}
	var err error
	if s.store, err = store.Open(t.Context(), store.Config{Path: filepath.Join(dir, databaseName)}); err != nil {
		t.Fatal(err)
	}
	if s.engine, err = engine.New(engine.Config{Datastore: s.store}); err != nil {
		t.Fatal(err)
	}
	s.records = records.In(database{s.store})
	p := s.stepFile()
	p.own = own
	err = p.run(t.Context(), true)
	return s, p, err
}

func bosses(t *testing.T, e *engine.Engine, name string) []string {
	t.Helper()
	found, _, err := e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party", Relation: name})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range found {
		all = append(all, r.Subject.ID)
	}
	slices.Sort(all)
	return all
}

// TestSchemaStep brings a schema from one release to the next, which renames a relation, and
// has the release before meet it.
func TestSchemaStep(t *testing.T) {
	dir := t.TempDir()
	s, _, err := release(t, dir, first())
	if err != nil {
		t.Fatal(err)
	}
	writeBoss(t, s.engine)
	if err := s.records.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		return errors.Join(tx.PutParty(ctx, party.Party{ID: 1, UUID: "a", Kind: party.Organisation, Name: "X"}, "test"),
			tx.PutAssignment(ctx, records.Assignment{AssignmentKey: records.AssignmentKey{From: 1, Role: "boss", To: 2, Source: "test"}, User: 7}))
	}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	later := next("boss", "head_of", relations.Step{Version: 2, Oldest: 2, Renames: []relations.Rename{{Definition: "party", Old: "boss", New: "head_of"}}})
	if copies := find(t, dir, "behalf.*v*.db"); len(copies) > 0 {
		t.Errorf("copies before: %v", copies)
	}
	for range 2 { // the second time nothing is left to do
		s, p, err := release(t, dir, later)
		if err != nil {
			t.Fatal(err)
		}
		if got := bosses(t, s.engine, "head_of"); !slices.Equal(got, []string{"7"}) {
			t.Errorf("renamed: %v", got)
		}
		if err := s.records.Read(t.Context(), func(tx *records.Tx) error {
			held, err := tx.AssignmentsFrom(t.Context(), []party.ID{1})
			if len(held) != 1 || held[0].Role != "head_of" {
				t.Errorf("the records have %+v", held)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if have, err := p.rows.state(t.Context()); err != nil || have != (migrations.State{Version: 2, Oldest: 2}) {
			t.Errorf("the version is %+v, %v", have, err)
		}
		closed(t, s)
	}
	if copies := find(t, dir, "behalf.*v*.db"); len(copies) != 1 || !strings.HasSuffix(copies[0], "behalf.schema-v1.db") {
		t.Errorf("copies after: %v", copies)
	}
	s, _, err = release(t, dir, first())
	tooOld, ok := errors.AsType[*migrations.TooOldError](err)
	if !ok || tooOld.Known != 1 || tooOld.State.Oldest != 2 || !strings.Contains(err.Error(), "relations schema is of version 2") {
		t.Errorf("the release before: %v", err)
	}
	closed(t, s)
}

// TestRenameTwice goes over a release whose name for a relation did not last: from an empty
// directory, and from before it.
func TestRenameTwice(t *testing.T) {
	rename := func(version int, old, is string) relations.Step {
		return relations.Step{Version: version, Oldest: version, Renames: []relations.Rename{{Definition: "party", Old: old, New: is}}}
	}
	latest := next("boss", "manager", rename(2, "boss", "head_of"))
	latest.steps = append(latest.steps, rename(3, "head_of", "manager"))
	back := first()
	back.steps = append(back.steps, rename(2, "boss", "head_of"), rename(3, "head_of", "boss"))
	for name, c := range map[string]struct {
		to   ownSchema
		held string
	}{"on": {latest, "manager"}, "and back": {back, "boss"}} {
		t.Run(name, func(t *testing.T) {
			s, _, err := release(t, t.TempDir(), c.to)
			if err != nil {
				t.Fatalf("an empty directory: %v", err)
			}
			closed(t, s)
			dir := t.TempDir()
			if s, _, err = release(t, dir, first()); err != nil {
				t.Fatal(err)
			}
			writeBoss(t, s.engine)
			closed(t, s)
			s, p, err := release(t, dir, c.to)
			if err != nil {
				t.Fatal(err)
			}
			if got := bosses(t, s.engine, c.held); !slices.Equal(got, []string{"7"}) {
				t.Errorf("renamed: %v", got)
			}
			if have, err := p.rows.state(t.Context()); err != nil || have.Version != 3 {
				t.Errorf("the version is %+v, %v", have, err)
			}
			closed(t, s)
		})
	}
}

// TestReleaseBeforeKeepsSchema has a release meet a later schema that it can run on: it
// reads and writes, and leaves the schema as it is.
func TestReleaseBeforeKeepsSchema(t *testing.T) {
	dir := t.TempDir()
	later := next("permission", "relation deputy: user\npermission", relations.Step{Version: 2, Oldest: 1})
	for i, own := range []ownSchema{first(), later, first(), later} {
		s, p, err := release(t, dir, own)
		if err != nil {
			t.Fatalf("opening %d: %v", i, err)
		}
		if _, err := s.engine.Write(t.Context(), []relation.Update{
			{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(1), Relation: "boss", Subject: relation.User(int64(i))}},
		}); err != nil {
			t.Errorf("opening %d: %v", i, err)
		}
		if got := len(bosses(t, s.engine, "boss")); got != i+1 {
			t.Errorf("opening %d finds %d", i, got)
		}
		if have, err := p.rows.state(t.Context()); err != nil || have.Oldest != 1 || have.Version != min(i+1, 2) {
			t.Errorf("opening %d: the version is %+v, %v", i, have, err)
		}
		if live, err := s.engine.LiveSchema(t.Context()); err != nil || i > 0 && len(live.Names()) != 2 {
			t.Errorf("opening %d: %v, %v", i, live.Names(), err)
		} else if d, err := s.engine.DiffSchema(t.Context(), engine.Own(later.text)); i > 0 && (err != nil || len(d.Changes) > 0) {
			t.Errorf("opening %d changed the schema: %+v, %v", i, d, err)
		}
		closed(t, s)
	}
}

// TestSchemaStepRefuses leaves what it would orphan, and says so in the plan.
func TestSchemaStepRefuses(t *testing.T) {
	dir := t.TempDir()
	s, _, err := release(t, dir, first())
	if err != nil {
		t.Fatal(err)
	}
	writeBoss(t, s.engine)
	closed(t, s)
	lossy := next("boss", "other", relations.Step{Version: 2, Oldest: 2})
	db, err := sqlite.Inspect(filepath.Join(dir, databaseName))
	if err != nil {
		t.Fatal(err)
	}
	d, since, err := lookAt(t.Context(), db, lossy, migrations.State{Version: 1, Oldest: 1})
	l := schemaLayer(lossy, since, d, err)
	if l.Refused == "" || !slices.ContainsFunc(l.Pending, func(p Pending) bool { return p.What == "relation removed party#boss" && p.Relationships == 1 }) {
		t.Errorf("the plan: %+v", l)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, p, err := release(t, dir, lossy)
	if fault.KindOf(err) != fault.Precondition || !strings.Contains(err.Error(), "1 live relationships") {
		t.Errorf("the step: %v", err)
	}
	if have, err := p.rows.state(t.Context()); err != nil || have.Version != 1 {
		t.Errorf("the version is %+v, %v", have, err)
	}
	if got := bosses(t, s.engine, "boss"); !slices.Equal(got, []string{"7"}) {
		t.Errorf("left: %v", got)
	}
	closed(t, s)
}

// TestMigrateAtOnce migrates an empty database from several places at once, on each engine.
func TestMigrateAtOnce(t *testing.T) {
	for name, cfg := range map[string]func(t *testing.T) Config{
		"file":     func(t *testing.T) Config { return Config{DataDir: t.TempDir()} },
		"postgres": func(t *testing.T) Config { return Config{DataDir: t.TempDir(), Datastore: pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg(t)
			before, err := MigrationState(t.Context(), cfg)
			if err != nil || len(before) != 3 || len(before[0].Pending) == 0 || len(before[2].Pending) == 0 {
				t.Fatalf("before: %+v, %v", before, err)
			}
			if name == "postgres" {
				c := cfg
				c.GRPCAddr, c.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
				if s, err := New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "behalf migrate up") {
					t.Errorf("a server on it: %v, %v", s, err)
				}
			}
			group, ctx := errgroup.WithContext(t.Context())
			for range 3 {
				group.Go(func() error {
					_, err := Migrate(ctx, cfg)
					return err
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			after, err := MigrationState(t.Context(), cfg)
			if err != nil || Migrates(after) {
				t.Errorf("after: %+v, %v", after, err)
			}
			if done, err := Migrate(t.Context(), cfg); err != nil || Migrates(done) {
				t.Errorf("again: %+v, %v", done, err)
			}
			c := cfg
			c.GRPCAddr, c.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
			s, err := New(t.Context(), c)
			if err != nil {
				t.Fatalf("a server on it: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSchemaOnPostgres brings the schema of a database by steps of releases. A start that may
// not is refused; a step that is refused leaves no version behind.
func TestSchemaOnPostgres(t *testing.T) {
	e, db, _ := emptyOnPostgres(t)
	run := func(own ownSchema, may bool) (migrations.State, error) {
		p := step{engine: e, own: own, rows: rowsOn(db)}
		err := p.run(t.Context(), may)
		have, failed := p.rows.state(t.Context())
		if failed != nil {
			t.Fatal(failed)
		}
		return have, err
	}
	later := next("permission", "relation deputy: user\npermission", relations.Step{Version: 2, Oldest: 1})
	lossy := next("boss", "other", relations.Step{Version: 2, Oldest: 2})
	for i, c := range []struct {
		own  ownSchema
		may  bool
		want int
		ok   func(error) bool
	}{
		{first(), false, 0, func(err error) bool { return errors.Is(err, errSchemaNotMigrated) }},
		{first(), true, 1, func(err error) bool { return err == nil }},
		{first(), false, 1, func(err error) bool { return err == nil }},
		{later, false, 1, func(err error) bool { return errors.Is(err, errSchemaNotMigrated) }},
		{lossy, true, 1, func(err error) bool { return fault.KindOf(err) == fault.Precondition }},
		{first(), false, 1, func(err error) bool { return err == nil }},
		{later, true, 2, func(err error) bool { return err == nil }},
		{first(), false, 2, func(err error) bool { return err == nil }},
		{first(), true, 2, func(err error) bool { return err == nil }},
	} {
		if have, err := run(c.own, c.may); !c.ok(err) || have.Version != c.want {
			t.Errorf("step %d: version %d, %v; want version %d", i, have.Version, err, c.want)
		}
		if i == 1 {
			writeBoss(t, e)
		}
	}
	if d, err := e.DiffSchema(t.Context(), engine.Own(later.text)); err != nil || len(d.Changes) > 0 {
		t.Errorf("the live schema is not the latest: %+v, %v", d, err)
	}
}

// TestRenameOnPostgres renames a relation from one release to the next. A server that ends
// before the records are renamed too leaves what keeps the release before out and lets the
// next finish.
func TestRenameOnPostgres(t *testing.T) {
	e, db, uri := emptyOnPostgres(t)
	rows := rowsOn(db)
	if err := (step{engine: e, own: first(), rows: rows}).run(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	writeBoss(t, e)
	if err := rows.write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		return errors.Join(tx.PutParty(ctx, party.Party{ID: 1, UUID: "a", Kind: party.Organisation, Name: "X"}, "test"),
			tx.PutAssignment(ctx, records.Assignment{AssignmentKey: records.AssignmentKey{From: 1, Role: "boss", To: 2, Source: "test"}, User: 7}))
	}); err != nil {
		t.Fatal(err)
	}
	later := next("boss", "head_of", relations.Step{Version: 2, Oldest: 2, Renames: []relations.Rename{{Definition: "party", Old: "boss", New: "head_of"}}})
	killed, writes := errors.New("killed"), 0
	dying := schemaRows{rows.read, func(ctx context.Context, f func(context.Context, *records.Tx) error) error {
		if writes++; writes > 1 { // the first keeps the release before out
			return killed
		}
		return rows.write(ctx, f)
	}}
	if err := (step{engine: e, own: later, rows: dying}).run(t.Context(), true); !errors.Is(err, killed) {
		t.Fatalf("the server that ends: %v", err)
	}
	if _, ok := errors.AsType[*migrations.TooOldError]((step{engine: e, own: first(), rows: rows}).run(t.Context(), true)); !ok {
		t.Error("the release before runs on what is half done")
	}
	s := &Server{engine: e, cfg: Config{Datastore: uri, Migrate: true}.withDefaults()}
	for range 2 { // the second time nothing is left to do
		if err := s.stepOn(t.Context(), step{engine: e, own: later, rows: rows}); err != nil {
			t.Fatal(err)
		}
		if got := bosses(t, e, "head_of"); !slices.Equal(got, []string{"7"}) {
			t.Errorf("renamed: %v", got)
		}
		if err := rows.read(t.Context(), func(tx *records.Tx) error {
			held, err := tx.AssignmentsFrom(t.Context(), []party.ID{1})
			if len(held) != 1 || held[0].Role != "head_of" {
				t.Errorf("the records have %+v", held)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if have, err := rows.state(t.Context()); err != nil || have != (migrations.State{Version: 2, Oldest: 2}) {
			t.Errorf("the version is %+v, %v", have, err)
		}
	}
}

// lost is a graph that cannot be reached any more when something is to be written.
type lost struct{ *engine.Engine }

func (lost) Write(context.Context, []relation.Update) (relation.Revision, error) {
	return "", fault.New(fault.Unavailable, fault.ReasonUnavailable, "lost")
}

// TestRenameFinishesWrites renames a relation when a server has left a write to it half done.
func TestRenameFinishesWrites(t *testing.T) {
	e, db, uri := emptyOnPostgres(t)
	rows := rowsOn(db)
	if err := (step{engine: e, own: first(), rows: rows}).run(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	half, err := outbox.Open(t.Context(), outbox.Config{URI: uri, Graph: lost{e}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = records.In(half).Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		if err := errors.Join(tx.PutParty(ctx, party.Party{ID: 1, UUID: "a", Kind: party.Organisation, Name: "X"}, "test"),
			tx.PutAssignment(ctx, records.Assignment{AssignmentKey: records.AssignmentKey{From: 1, Role: "boss", To: 2, Source: "test"}, User: 7})); err != nil {
			return err
		}
		_, err := half.Joined().Write(ctx, []relation.Update{
			{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(1), Relation: "boss", Subject: relation.User(7)}},
		})
		return err
	})
	if fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the write that is left half done: %v", err)
	}
	if err := half.Close(); err != nil {
		t.Fatal(err)
	}
	if got := bosses(t, e, "boss"); len(got) != 0 {
		t.Fatalf("before: %v", got)
	}
	later := next("boss", "head_of", relations.Step{Version: 2, Oldest: 2, Renames: []relations.Rename{{Definition: "party", Old: "boss", New: "head_of"}}})
	s := &Server{engine: e, cfg: Config{Datastore: uri, Migrate: true}.withDefaults()}
	if err := s.stepOn(t.Context(), step{engine: e, own: later, rows: rows}); err != nil {
		t.Fatal(err)
	}
	if got := bosses(t, e, "head_of"); !slices.Equal(got, []string{"7"}) {
		t.Errorf("renamed: %v", got)
	}
	if err := rows.read(t.Context(), func(tx *records.Tx) error {
		held, err := tx.AssignmentsFrom(t.Context(), []party.ID{1})
		if len(held) != 1 || held[0].Role != "head_of" {
			t.Errorf("the records have %+v", held)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// emptyOnPostgres returns an engine and the records of a database without a schema, and its URI.
func emptyOnPostgres(t *testing.T) (*engine.Engine, *sql.DB, string) {
	t.Helper()
	uri := pg.Database(t)
	if err := migratePostgres(t.Context(), uri); err != nil {
		t.Fatal(err)
	}
	data, err := engine.OpenPostgres(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = data.Close() })
	e, err := engine.New(engine.Config{Datastore: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	db, err := postgres.Open(uri, postgres.Options{Conns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return e, db, uri
}

func writeBoss(t *testing.T, e *engine.Engine) {
	t.Helper()
	if _, err := e.Write(t.Context(), []relation.Update{
		{Op: relation.Touch, Relationship: relation.Relationship{Resource: relation.Party(1), Relation: "boss", Subject: relation.User(7)}},
	}); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func closed(t *testing.T, s *Server) {
	t.Helper()
	if err := errors.Join(s.engine.Close(), s.store.Close()); err != nil {
		t.Fatal(err)
	}
}
