package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

// listing asks lists of a graph for the parties of one user.
type listing struct {
	t      *testing.T
	graph  *graph.Graph
	schema *walk.Schema
	lists  *lists
	now    time.Time
}

// write publishes a tuple and returns the state with it. It is a second later than the one before.
func (l *listing) write(party, user string) *graph.Snapshot {
	l.t.Helper()
	tx := l.graph.Begin()
	tuple := graph.Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: "party", ID: party}, Relation: "dagl", Subject: relation.Subject{Object: relation.Object{Type: "user", ID: user}},
	}}
	if _, err := tx.Touch(tuple); err != nil {
		l.t.Fatal(err)
	}
	l.now = l.now.Add(time.Second)
	revision := l.graph.Head().Revision() + 1
	s, err := tx.Seal(revision, l.now)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.graph.Publish(revision); err != nil {
		l.t.Fatal(err)
	}
	return s
}

// question is which parties user 1 has.
func (l *listing) question() asked {
	user := relation.Subject{Object: relation.Object{Type: "user", ID: "1"}}
	return asked{schema: l.schema, end: user, typ: "party", name: "dagl"}
}

// ask returns the list at a state, which is kept, and whether it was before.
func (l *listing) ask(s *graph.Snapshot) (k *keptList, again bool) {
	l.t.Helper()
	q := l.question()
	if k := l.lists.find(q, s, l.now); k != nil {
		return k, true
	}
	k = &keptList{asked: q}
	nodes, why := l.schema.Over(s).Resources(l.t.Context(), nil, &k.proof, q.typ, q.name, q.end, l.now)
	if why != walk.Answered {
		l.t.Fatal(why)
	}
	k.listed = relation.NewListed(make([]string, len(nodes)))
	l.lists.keep(k)
	return k, false
}

func newListing(t *testing.T) *listing {
	t.Helper()
	g, err := graph.New(graph.Config{Age: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	l := &listing{t: t, graph: g, lists: newLists(), now: time.Now(), schema: walk.Compile([]walk.Definition{
		{Name: "user"}, {Name: "party", Relations: []walk.Relation{{Name: "dagl", Subjects: []walk.SubjectType{{Type: "user"}}}}},
	})}
	for i := range leastKept {
		l.write(fmt.Sprint(i), "1")
	}
	return l
}

// A list whose proof has failed answers those who ask about a state before, stands in nobody's
// way, and goes when there can be none who does.
func TestListsEnd(t *testing.T) {
	l := newListing(t)
	before := l.write("x", "2")
	first, again := l.ask(before)
	if again {
		t.Fatal("a list was kept that nobody had asked for")
	}
	still := l.write("y", "2")
	if k, _ := l.ask(still); k != first {
		t.Error("the list is not kept beyond what has nothing to do with it")
	}
	changed := l.write("z", "1")
	second, _ := l.ask(changed)
	if second == first || second.listed.Len() != first.listed.Len()+1 {
		t.Fatalf("after a change the list has %d, before %d", second.listed.Len(), first.listed.Len())
	}
	if k, again := l.ask(still); k != first || !again {
		t.Error("the list before the change is not there for who asks about it")
	}

	// While somebody has the first one, the second is found.
	first.mu.Lock()
	found := make(chan *keptList)
	go func() { found <- l.lists.find(l.question(), changed, l.now) }()
	select {
	case k := <-found:
		first.mu.Unlock()
		if k != second {
			t.Error("the newest list is not found")
		}
	case <-time.After(10 * time.Second):
		first.mu.Unlock()
		<-found
		t.Error("the newest list is tried after one that has ended")
	}

	l.now = l.now.Add(time.Minute - 2*time.Second)
	l.graph.Trim(l.now) // the state of the change is now the second oldest, at most
	if k, again := l.ask(still); k != first || !again {
		t.Error("the list before the change is gone while it can be asked for")
	}
	l.now = l.now.Add(3 * time.Second)
	l.write("w", "2")
	if k, again := l.ask(l.graph.Head()); k != second || !again {
		t.Error("the list after the change is gone")
	}
	if n := len(l.lists.kept[l.question()]); n != 1 || l.lists.recent.Len() != 1 || len(l.lists.ended) > 0 {
		t.Errorf("%d lists of the question and %d in all are kept, %d have ended; want one that has not", n, l.lists.recent.Len(), len(l.lists.ended))
	}
}
