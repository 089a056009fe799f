package outbox_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// victimKey is where a process that is to be killed finds what to do: step, what, uri.
const victimKey = "BEHALF_OUTBOX_VICTIM"

// die writes, and kills its own process after a step. Step 0 is within the function.
func die() {
	var (
		step int
		what string
		uri  string
	)
	if _, err := fmt.Sscan(os.Getenv(victimKey), &step, &what, &uri); err != nil {
		panic(err)
	}
	kill := func(at int) {
		if at == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	ctx := context.Background()
	n, err := newNode(ctx, uri, kill)
	if err != nil {
		panic(err)
	}
	switch {
	case step == 0:
		err = n.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
			if err := tx.PutParty(ctx, firm(2), "test"); err != nil {
				return err
			}
			_, err := n.graph.Write(ctx, []relation.Update{{Op: relation.Touch, Relationship: dagl(2)}})
			kill(0)
			return err
		})
	case what == "put":
		err = n.put(ctx, 2)
	default:
		err = n.remove(ctx, 1)
	}
	panic(fmt.Sprint("still alive: ", err))
}

// killAfter has another process do it, and waits for its end.
func killAfter(t *testing.T, step int, what, uri string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := exec.Command(self)
	victim.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s %s", victimKey, step, what, uri))
	out, err := victim.CombinedOutput()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process to be killed: %v\n%s", err, out)
	}
}

// TestKilledAfterEachStep kills a server that writes, after each step of its write, and
// looks at what others see before and after one of them has finished it.
func TestKilledAfterEachStep(t *testing.T) {
	type ids = []party.ID
	for i, c := range []struct {
		what         string
		step         int
		rows, tuples ids // right after
		end          ids // of both, once it is finished
	}{
		{"put", 0, ids{1}, ids{1}, ids{1}},
		{"put", 1, ids{1}, ids{1}, ids{1, 2}},
		{"put", 2, ids{1}, ids{1, 2}, ids{1, 2}}, // never a party without its relations
		{"put", 3, ids{1, 2}, ids{1, 2}, ids{1, 2}},
		{"remove", 1, ids{1}, ids{1}, nil},
		{"remove", 2, ids{1}, nil, nil}, // never a relation that outlives its removal
		{"remove", 3, nil, nil, nil},
	} {
		finisher := []string{"the next write", "a start", "a look"}[i%3] // each comes to steps 1 and 2
		t.Run(fmt.Sprintf("%s/%d/%s", c.what, c.step, finisher), func(t *testing.T) {
			uri := database(t)
			n := start(t, uri, nil)
			if err := n.put(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			killAfter(t, c.step, c.what, uri)
			n.want(t, "right after", c.rows, c.tuples)
			finishBy(t, n, uri, finisher)
			n.want(t, "once it is finished", c.end, c.end)
			if left := intents(t, uri); left != 0 {
				t.Errorf("%d intents are left", left)
			}
		})
	}
}

func finishBy(t *testing.T, n *node, uri, finisher string) {
	t.Helper()
	switch finisher {
	case "the next write":
		err := n.records.Write(t.Context(), func(context.Context, *records.Tx) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
	case "a start":
		if err := n.outbox.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	case "a look":
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- n.outbox.Run(ctx) }()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		deadline := time.After(30 * time.Second)
		for intents(t, uri) > 0 {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatal("nobody finishes it")
			}
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
}

// TestKilledInARow kills one server after another, each of which begins by finishing what
// the one before has left: writes end in their order.
func TestKilledInARow(t *testing.T) {
	uri := database(t)
	n := start(t, uri, nil)
	if err := n.put(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"put", "remove", "put"} {
		killAfter(t, 1, what, uri)
	}
	if left := intents(t, uri); left != 1 {
		t.Errorf("%d intents are left, want the last", left)
	}
	if err := n.outbox.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.want(t, "in the end", []party.ID{2}, []party.ID{2})
}
