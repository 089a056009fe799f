package engine_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

func TestPin(t *testing.T) {
	e := start(t, world)
	write(t, e, updates(relation.Touch, "party:1#dagl@user:7"))
	ctx, pinned, err := e.Pin(t.Context(), relation.At{})
	if err != nil {
		t.Fatal(err)
	}
	later := write(t, e, updates(relation.Delete, "party:1#dagl@user:7"))

	question := relation.Question{
		Object: relation.Party(1), Permission: "dagl", Subject: relation.User(7),
	}
	answers, at, err := e.Check(ctx, relation.At{AtLeast: later}, question)
	if err != nil || !answers[0].Allowed || at != pinned {
		t.Errorf("pinned check = %+v at %q, %v; want it allowed at %q", answers, at, err, pinned)
	}
	tuples, at, err := e.Read(ctx, relation.At{}, relation.Filter{ResourceType: "party"})
	if err != nil || len(tuples) != 1 || at != pinned {
		t.Errorf("pinned read = %v at %q, %v; want one tuple at %q", tuples, at, err, pinned)
	}
	if _, again, err := e.Pin(ctx, relation.At{}); err != nil || again != pinned {
		t.Errorf("pinned again = %q, %v; want %q", again, err, pinned)
	}
	if allowed(t, e, relation.At{}, "party:1#dagl@user:7") {
		t.Error("a context that is not pinned sees the past")
	}
}
