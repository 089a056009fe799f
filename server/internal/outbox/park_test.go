package outbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/party"
	behalfpostgres "github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// TestParked leaves writes that can never end. They are tried a bounded number of times, not
// before their time, and then others go on.
func TestParked(t *testing.T) {
	type ids = []party.ID
	const touch = `[{"touch":true,"resource":["party","9"],"relation":"dagl","subject":["user","7",""]}]`
	for _, c := range []struct {
		name, updates, statements, why string
		tuples                         ids
	}{
		{"rows that have no table", touch, `{"texts":["INSERT INTO nowhere VALUES (1)"],"runs":[{"text":0,"args":[]}]}`, "nowhere", ids{1, 2, 9}},
		{"updates that cannot be read", `{"touch":1}`, `{}`, "read intent", ids{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			uri := database(t)
			n := start(t, uri, nil)
			if err := n.put(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			execute(t, uri, "INSERT INTO behalf.intent (operation, updates, statements) VALUES ('bad', $1, $2)", c.updates, c.statements)
			tries := 0
			for ; tries < 20; tries++ {
				err := n.put(t.Context(), 2)
				if err == nil {
					break
				}
				if fault.KindOf(err) != fault.Unavailable {
					t.Fatalf("a write behind it: %v", err)
				}
				if err := n.put(t.Context(), 2); fault.KindOf(err) != fault.Unavailable { // at once: not its time yet
					t.Fatalf("a write behind it: %v", err)
				}
				if attempts := one[int](t, uri, "SELECT attempts FROM behalf.intent"); attempts > tries+1 {
					t.Fatalf("%d attempts after %d", attempts, tries+1)
				}
				execute(t, uri, "UPDATE behalf.intent SET retry = now()")
			}
			if tries != 7 {
				t.Errorf("parked after %d tries, want 8", tries+1)
			}
			n.want(t, "once it is parked", ids{1, 2}, c.tuples)
			wantParked(t, uri, "bad", c.why)
			if err := n.outbox.Finish(t.Context()); err != nil {
				t.Errorf("a start beside it: %v", err)
			}
		})
	}
}

// TestRefusedInPart has the graph refuse the second transaction of a write that takes two. It
// is not dropped, as the first is there.
func TestRefusedInPart(t *testing.T) {
	uri := database(t)
	n := start(t, uri, nil)
	err := n.records.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		var us []relation.Update
		for i := range engine.Atomic {
			us = append(us, relation.Update{Op: relation.Touch, Relationship: dagl(party.ID(i + 1))})
		}
		unknown := dagl(1)
		unknown.Relation = "nope"
		if _, err := n.graph.Write(ctx, append(us, relation.Update{Op: relation.Touch, Relationship: unknown})); err != nil {
			return err
		}
		return tx.PutParty(ctx, firm(1), "test")
	})
	if fault.KindOf(err) != fault.Precondition {
		t.Errorf("a write of an unknown relation: %v", err)
	}
	rows, tuples := n.seen(t)
	if len(rows) != 0 || len(tuples) != engine.Atomic {
		t.Errorf("%d rows and %d tuples, want the first transaction's", len(rows), len(tuples))
	}
	wantParked(t, uri, "", "nope")
}

func wantParked(t *testing.T, uri, operation, why string) {
	t.Helper()
	db, err := behalfpostgres.Open(uri, behalfpostgres.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	parked, err := outbox.ListParked(t.Context(), db)
	if err != nil || len(parked) != 1 || operation != "" && parked[0].Operation != operation || !strings.Contains(parked[0].Why, why) {
		t.Errorf("parked: %+v, %v; want one because of %q", parked, err, why)
	}
}

func execute(t *testing.T, uri, statement string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), uri)
	if err == nil {
		_, err = conn.Exec(t.Context(), statement, args...)
		_ = conn.Close(t.Context())
	}
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", statement, err))
	}
}
