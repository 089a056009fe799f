package records_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/party"
	behalfpostgres "github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// stores runs a test on a database in memory, on one in a file and on Postgres.
func stores(t *testing.T, test func(t *testing.T, s *records.Store)) {
	for name, path := range map[string]string{"memory": "", "file": filepath.Join(t.TempDir(), "odd name?#%.db")} {
		t.Run(name, func(t *testing.T) {
			s, err := records.Open(t.Context(), records.Config{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			test(t, s)
		})
	}
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t)) })
}

// onPostgres returns the records of a new database.
func onPostgres(t *testing.T) *records.Store {
	t.Helper()
	uri := pg.Clone(t, "behalf", func(ctx context.Context, uri string) error {
		db, err := behalfpostgres.Open(uri, behalfpostgres.Options{Conns: 2})
		if err != nil {
			return err
		}
		return errors.Join(behalfpostgres.Migrate(ctx, db), db.Close())
	})
	o, err := outbox.Open(t.Context(), outbox.Config{URI: uri, Graph: noGraph{}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return records.In(o)
}

// noGraph is the graph of tests that write none.
type noGraph struct{}

func (noGraph) Write(context.Context, []relation.Update) (relation.Revision, error) {
	return "", errors.New("the records wrote a graph")
}

func (noGraph) Head(context.Context) (relation.Revision, error) { return "", nil }

var skrova = party.Party{
	ID: 50076451, UUID: "35042029-f290-473c-9770-2e256bb50d3b", Kind: party.Organisation, Name: "SKROVA OG STANGHELLE",
	OrgNumber: "910042963", UnitType: "AS",
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		boom := errors.New("boom")
		err := s.Write(t.Context(), func(_ context.Context, tx *records.Tx) error {
			if err := tx.PutParty(t.Context(), skrova, "test"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("Write = %v, want the function's error", err)
		}
		if got := all(t, s); len(got) != 0 {
			t.Fatalf("a failed write left %v", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = s.Write(ctx, func(_ context.Context, tx *records.Tx) error {
			err := tx.PutParty(ctx, skrova, "test")
			cancel()
			return err
		})
		if err == nil || len(all(t, s)) != 0 {
			t.Fatalf("a cancelled write = %v and left %v", err, all(t, s))
		}
		if err := s.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error { return tx.PutParty(ctx, skrova, "test") }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]party.Party{skrova}, all(t, s)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func all(t *testing.T, s *records.Store) (found []party.Party) {
	t.Helper()
	err := s.Parties(t.Context(), func(p party.Party) error {
		found = append(found, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRowsRoundTrip(t *testing.T) {
	person := party.Party{
		ID: 7, UUID: "u", Kind: party.Person, Name: "Åse", NationalID: "07124912037", BirthDate: "1949-12-07",
		DiedOn: "2020-01-01", UserID: 20001337, Login: true,
	}
	sub := party.Party{ID: 8, UUID: "v", Kind: party.SubUnit, Name: "S", OrgNumber: "910042971", UnitType: "BEDR", MainUnit: skrova.ID, DeletedOn: "2024-02-29"}
	assertion := records.Assertion{Party: 8, Source: "a", Key: "k", Says: sub, Written: 3}
	assertion.Says.UUID = ""
	keyless := records.Assertion{Party: 8, Source: "a", Says: party.Party{Kind: party.SubUnit, Name: "T"}, Written: 4}
	assignment := records.Assignment{
		AssignmentKey: records.AssignmentKey{From: 8, Role: "dagl", To: 7, Source: "a"},
		User:          20001337,
		Expires:       time.Date(2030, 12, 31, 23, 59, 59, 999999000, time.UTC),
	}
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		err := s.Write(ctx, func(_ context.Context, tx *records.Tx) error {
			return errors.Join(
				tx.PutParty(ctx, skrova, "a"), tx.PutParty(ctx, person, "a"), tx.PutParty(ctx, sub, "a"),
				tx.PutAssertion(ctx, assertion), tx.PutAssertion(ctx, keyless), tx.PutAssignment(ctx, assignment))
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]party.Party{person, sub, skrova}, all(t, s)); diff != "" {
			t.Error(diff)
		}
		err = s.Read(ctx, func(tx *records.Tx) error {
			says, err := tx.AssertionsOf(ctx, 8)
			if diff := cmp.Diff([]records.Assertion{keyless, assertion}, says); diff != "" {
				t.Error(diff)
			}
			from, err2 := tx.AssignmentsFrom(ctx, []party.ID{1, 8})
			to, err3 := tx.AssignmentsTo(ctx, []party.ID{7}, "dagl")
			none, err4 := tx.AssignmentsTo(ctx, []party.ID{7}, "innh")
			if diff := cmp.Diff([][]records.Assignment{{assignment}, {assignment}, nil}, [][]records.Assignment{from, to, none}); diff != "" {
				t.Error(diff)
			}
			var keys []string
			err9 := tx.KeysOf(ctx, "a", func(id party.ID, key string) error {
				keys = append(keys, fmt.Sprint(id, " ", key))
				return nil
			})
			if diff := cmp.Diff([]string{"8 ", "8 k"}, keys); diff != "" {
				t.Error(diff)
			}
			id, err5 := tx.Keyed(ctx, "a", "k")
			other, err6 := tx.Keyed(ctx, "b", "k")
			if id != 8 || other != 0 {
				t.Errorf("Keyed = %d, %d; want 8, 0", id, other)
			}
			named, err7 := tx.Named(ctx, records.Identifiers{OrgNumber: skrova.OrgNumber, UserID: 20001337})
			if diff := cmp.Diff([]party.Party{person, skrova}, named); diff != "" {
				t.Error(diff)
			}
			has, err8 := tx.HasSubUnits(ctx, skrova.ID)
			if !has {
				t.Error("HasSubUnits = false")
			}
			return errors.Join(err, err2, err3, err4, err5, err6, err7, err8, err9)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestSources(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		given := party.Party{UUID: skrova.UUID, Kind: party.Organisation, Name: "S", UnitType: "AS"}
		weak := records.Assertion{Party: skrova.ID, Source: "a", Key: "k", Says: party.Party{Kind: party.Organisation, Name: "W"}, Written: 9}
		strong := records.Assertion{Party: skrova.ID, Source: "b", Says: given, Written: 2}
		assignment := records.Assignment{AssignmentKey: records.AssignmentKey{From: skrova.ID, Role: "dagl", To: 7, Source: "a"}, User: 8}
		err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
			return errors.Join(tx.PutParty(ctx, skrova, "b"), tx.PutAssertion(ctx, weak), tx.PutAssertion(ctx, strong), tx.PutAssignment(ctx, assignment))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Read(ctx, func(tx *records.Tx) error {
			sources, err := tx.Sources(ctx)
			want := []records.Source{{Name: "b", Parties: 1}, {Name: "a", Parties: 1, Assignments: 1}}
			if diff := cmp.Diff(want, sources); diff != "" {
				t.Error(diff)
			}
			var said []records.Assertion
			err2 := tx.Said(ctx, "b", func(a records.Assertion) error {
				said = append(said, a)
				return nil
			})
			strong.Says.ID, strong.Says.OrgNumber = skrova.ID, skrova.OrgNumber
			if diff := cmp.Diff([]records.Assertion{strong}, said); diff != "" {
				t.Error(diff)
			}
			var held []records.Assignment
			err3 := tx.Held(ctx, "a", func(a records.Assignment) error {
				held = append(held, a)
				return nil
			})
			if diff := cmp.Diff([]records.Assignment{assignment}, held); diff != "" {
				t.Error(diff)
			}
			return errors.Join(err, err2, err3)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestNumbersSkipWhatIsTakenAndNeverGoDown(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		given := party.Party{ID: records.FirstNumber + 5, UUID: "g", Kind: party.Person, Name: "G", UserID: records.FirstNumber + 6}
		err := s.Write(ctx, func(_ context.Context, tx *records.Tx) error {
			if err := tx.PutParty(ctx, given, "a"); err != nil {
				return err
			}
			next, parties, users, err := tx.Numbers(ctx)
			if err != nil {
				return err
			}
			if next != (records.Numbers{Party: records.FirstNumber, User: records.FirstNumber, Write: 1}) || !parties[given.ID] || !users[given.UserID] {
				t.Errorf("Numbers = %v, %v, %v", next, parties, users)
			}
			if err := tx.SetNumbers(ctx, records.Numbers{Party: records.FirstNumber + 9, User: 3, Write: 2}); err != nil {
				return err
			}
			next, _, _, err = tx.Numbers(ctx)
			if next != (records.Numbers{Party: records.FirstNumber + 9, User: records.FirstNumber, Write: 2}) {
				t.Errorf("Numbers = %v", next)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestAPIKeys(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		created := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		a := authn.APIKey{ID: "a", Name: "A", Hash: [32]byte{1, 2, 31: 3}, Scopes: []caller.Scope{caller.Check, caller.Admin}, Created: created}
		b := authn.APIKey{ID: "b", Name: "B", Created: created, Expires: created.Add(time.Hour)}
		for _, key := range []authn.APIKey{b, a} {
			if err := s.PutAPIKey(ctx, key); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.APIKeys(ctx)
		if diff := cmp.Diff([]authn.APIKey{a, b}, got); diff != "" || err != nil {
			t.Fatal(err, diff)
		}
		for _, want := range []bool{true, false} {
			if had, err := s.DeleteAPIKey(ctx, "a"); had != want || err != nil {
				t.Errorf("DeleteAPIKey = %v, %v; want %v", had, err, want)
			}
		}
		if got, err := s.APIKeys(ctx); err != nil || len(got) != 1 {
			t.Errorf("APIKeys = %v, %v", got, err)
		}
	})
}

func TestFileSurvivesAndNewerOneIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	open := func() (*records.Store, error) { return records.Open(t.Context(), records.Config{Path: path}) }
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error { return tx.PutParty(ctx, skrova, "a") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = open(); err != nil {
		t.Fatal(err)
	}
	if got := all(t, s); len(got) != 1 {
		t.Errorf("after a restart: %v", got)
	}
	if err := records.SetVersion(t.Context(), s, 99); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := open(); err == nil {
		t.Error("a database of version 99 was opened")
		_ = s.Close()
	}
}
