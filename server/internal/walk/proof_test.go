package walk_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// A proof says from which state on it holds no more, and goes on to hold for those before.
func TestProofEnds(t *testing.T) {
	view := over(t, many("folder:%d#viewer@user:1", 20)...)
	user := relation.Subject{Object: relation.Object{Type: "user", ID: "1"}}
	var p walk.Proof
	if _, why := view.Resources(t.Context(), nil, &p, "folder", "view", user, now); why != walk.Answered {
		t.Fatal(why)
	}
	var states []*graph.Snapshot // each with one tuple more
	g, err := graph.New(graph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{
		"folder:0#viewer@user:1", "folder:other#viewer@user:2", "folder:third#viewer@user:2", "folder:more#viewer@user:1", "folder:last#viewer@user:2",
	} {
		tx := g.Begin()
		var tuple graph.Tuple
		tuple.Resource, tuple.Relation, tuple.Subject = parse(text)
		if _, err := tx.Touch(tuple); err != nil {
			t.Fatal(err)
		}
		s, err := tx.Seal(uint64(i+1), now)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Publish(uint64(i + 1)); err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	if p.Holds(states[4], now) {
		t.Error("it holds for another graph")
	}
	if at, ok := p.Ended(); ok {
		t.Errorf("another graph ended it at %v", at)
	}
	if _, why := schema().Over(states[0]).Resources(t.Context(), nil, &p, "folder", "view", user, now); why != walk.Answered {
		t.Fatal(why)
	}
	for _, step := range []struct {
		state int
		holds bool
		ended int // the state that it is known to have ended at; 0 for none
	}{{1, true, 0}, {4, false, 4}, {4, false, 4}, {3, false, 3}, {4, false, 3}, {2, true, 3}, {0, true, 3}, {1, true, 3}, {3, false, 3}} {
		got := p.Holds(states[step.state], now)
		at, ok := p.Ended()
		want := step.ended > 0 && at == states[step.ended].Version() || step.ended == 0 && !ok
		if got != step.holds || !want {
			t.Errorf("%+v: %v, ended at %v, %v", step, got, at, ok)
		}
	}
}
