package server

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// TestOneTransaction writes records, and relationships through SpiceDB, in one transaction:
// both are there or neither is.
func TestOneTransaction(t *testing.T) {
	data, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), databaseName)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = data.Close() }()
	spicedb, err := engine.New(engine.Config{Datastore: data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = spicedb.Close() }()
	if err := spicedb.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	rows := records.In(database{data})

	holds := func(holder int64, role string) []relation.Update {
		return []relation.Update{{Op: relation.Touch, Relationship: relation.Relationship{
			Resource: relation.Party(1), Relation: role, Subject: relation.User(holder),
		}}}
	}
	put := func(ctx context.Context, tx *records.Tx, id party.ID) error {
		return tx.PutParty(ctx, party.Party{ID: id, UUID: string(rune('a' + id)), Kind: party.Organisation, Name: "X"}, "test")
	}
	boom := errors.New("boom")
	var revision relation.Revision
	for _, c := range []struct {
		name string
		f    func(context.Context, *records.Tx) error
		want func(error) bool
	}{
		{"both", func(ctx context.Context, tx *records.Tx) (err error) {
			if err := put(ctx, tx, 1); err != nil {
				return err
			}
			revision, err = spicedb.Write(ctx, holds(1, "dagl"))
			return err
		}, func(err error) bool { return err == nil }},
		{"refused by the schema", func(ctx context.Context, tx *records.Tx) error {
			if err := put(ctx, tx, 2); err != nil {
				return err
			}
			if _, err := spicedb.Write(ctx, holds(2, "dagl")); err != nil {
				return err
			}
			_, err := spicedb.Write(ctx, holds(2, "no_such"))
			return err
		}, func(err error) bool {
			return fault.KindOf(err) == fault.Precondition || fault.KindOf(err) == fault.Invalid
		}},
		{"a refusal not minded", func(ctx context.Context, tx *records.Tx) error {
			_, _ = spicedb.Write(ctx, holds(3, "no_such"))
			return put(ctx, tx, 3)
		}, func(err error) bool { return err != nil }},
		{"refused by the records", func(ctx context.Context, tx *records.Tx) error {
			if _, err := spicedb.Write(ctx, holds(4, "dagl")); err != nil {
				return err
			}
			return boom
		}, func(err error) bool { return errors.Is(err, boom) }},
	} {
		if err := rows.Write(t.Context(), c.f); !c.want(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}

	var parties []party.ID
	if err := rows.Parties(t.Context(), func(p party.Party) error {
		parties = append(parties, p.ID)
		return nil
	}); err != nil || len(parties) != 1 || parties[0] != 1 {
		t.Errorf("the records have parties %v, %v; want 1", parties, err)
	}
	held, _, err := spicedb.Read(t.Context(), relation.At{AtLeast: revision}, relation.Filter{ResourceType: "party"})
	if err != nil || len(held) != 1 || held[0].Subject.ID != "1" {
		t.Errorf("the graph has %v, %v; want the holder 1", held, err)
	}
}
