package authzed_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/server/internal/engine"
)

// Every method answers the same through our port as through SpiceDB's own connection:
// two engines get the same calls in the same order. Over a file ours answers from the graph
// what it can.
func TestParity(t *testing.T) {
	t.Run("memory", func(t *testing.T) { parity(t, startEngine(t), startEngine(t)) })
	t.Run("file", func(t *testing.T) {
		registry := prometheus.NewRegistry()
		parity(t, startFileEngine(t, registry), startFileEngine(t, prometheus.NewRegistry()))
		for _, question := range []string{"check", "resources", "subjects"} {
			if walks(t, registry, question, "answered") == 0 {
				t.Errorf("no %s was answered by a walk", question)
			}
		}
	})
}

func parity(t *testing.T, mine, other *engine.Engine) {
	ours := dial(t, serve(t, mine, []string{"user", "party"}, admin()))
	theirs, err := other.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = theirs.Close() })

	called := map[string]bool{}
	for _, s := range scenarios(t) {
		called["/authzed.api.v1."+s.method] = true
		if s.name == "write schema: empty" {
			continue // refused by the guard; see TestGuardSchema
		}
		want, got := call(t, theirs, s), call(t, ours, s)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-SpiceDB's own, +ours):\n%s", s.name, diff)
		}
		if got.Code == "Unknown" || got.Code == "Internal" {
			t.Logf("%s: %s %s", s.name, got.Code, got.Message)
		}
	}
	for _, service := range services() {
		for _, name := range methods(service) {
			if !called[name] && !strings.HasSuffix(name, "/Watch") {
				t.Errorf("no scenario calls %s", name)
			}
		}
	}
	watchParity(t, ours, theirs)
	emptyWatchParity(t, ours, theirs)
}

// watchParity writes the same to both and compares what two watches say about it.
func watchParity(t *testing.T, ours, theirs *grpc.ClientConn) {
	outcomes := make([]outcome, 2)
	for i, conn := range []*grpc.ClientConn{theirs, ours} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		head, err := v1.NewSchemaServiceClient(conn).ReadSchema(ctx, &v1.ReadSchemaRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v1.NewPermissionsServiceClient(conn).WriteRelationships(ctx, touch(rel(ref("party", "50"), "dagl", sub("user", "7")))); err != nil {
			t.Fatal(err)
		}
		outcomes[i] = call(t, conn, scenario{"watch", "WatchService/Watch", []proto.Message{&v1.WatchRequest{OptionalStartCursor: head.GetReadAt()}}, 1})
		cancel()
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" || len(outcomes[1].Answers) != 1 {
		t.Errorf("watch (-SpiceDB's own, +ours): %v\n%s", outcomes[1], diff)
	}
}

// emptyWatchParity compares what an empty request watches: everything from now on. When
// that begins only the server knows, so writes go on until an event has come.
func emptyWatchParity(t *testing.T, ours, theirs *grpc.ClientConn) {
	outcomes := make([]outcome, 2)
	for i, conn := range []*grpc.ClientConn{theirs, ours} {
		ctx, cancel := context.WithCancel(t.Context())
		var writes sync.WaitGroup
		writes.Go(func() {
			for ctx.Err() == nil {
				_, err := v1.NewPermissionsServiceClient(conn).WriteRelationships(ctx, touch(rel(ref("party", "60"), "dagl", sub("user", "7"))))
				if err == nil {
					_, err = v1.NewPermissionsServiceClient(conn).DeleteRelationships(ctx, &v1.DeleteRelationshipsRequest{
						RelationshipFilter: &v1.RelationshipFilter{ResourceType: "party", OptionalResourceId: "60"}})
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("write beside a watch: %v", err)
					return
				}
			}
		})
		outcomes[i] = call(t, conn, scenario{"watch: empty", "WatchService/Watch", []proto.Message{&v1.WatchRequest{}}, 1})
		cancel()
		writes.Wait()
		for j, answer := range outcomes[i].Answers { // which of the two comes first is chance
			outcomes[i].Answers[j] = strings.Replace(answer, "OPERATION_DELETE", "OPERATION_TOUCH", 1)
		}
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" || len(outcomes[1].Answers) != 1 {
		t.Errorf("empty watch (-SpiceDB's own, +ours): %v\n%s", outcomes[1], diff)
	}
}
