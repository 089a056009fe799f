package walk_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// schema is folders that lie in one another, with groups in groups.
func schema() *walk.Schema {
	computed := func(name string) *walk.Expr { return &walk.Expr{Op: walk.Computed, Relation: name} }
	return walk.Compile([]walk.Definition{
		{Name: "user"},
		{Name: "group", Relations: []walk.Relation{
			{Name: "member", Subjects: []walk.SubjectType{{Type: "user"}, {Type: "group", Relation: "member"}}},
		}},
		{Name: "folder", Relations: []walk.Relation{
			{Name: "parent", Subjects: []walk.SubjectType{{Type: "folder"}}},
			{Name: "viewer", Subjects: []walk.SubjectType{{Type: "user"}, {Type: "user", Wildcard: true}, {Type: "group", Relation: "member"}}},
			{Name: "banned", Subjects: []walk.SubjectType{{Type: "user"}}},
			{Name: "view", Expr: &walk.Expr{Op: walk.Union, Kids: []*walk.Expr{
				{Op: walk.Exclusion, Kids: []*walk.Expr{computed("viewer"), computed("banned")}},
				{Op: walk.Arrow, Relation: "parent", Target: "view"},
			}}},
			{Name: "agreed", Expr: &walk.Expr{Op: walk.All, Relation: "parent", Target: "viewer"}},
			{Name: "strange", Expr: &walk.Expr{Op: walk.Union, Kids: []*walk.Expr{computed("viewer"), {}}}},
			{Name: "more_strange", Expr: computed("strange")},
		}},
	})
}

func parse(text string) (relation.Object, string, relation.Subject) {
	left, right, _ := strings.Cut(text, "@")
	resource, name, _ := strings.Cut(left, "#")
	s, rel, _ := strings.Cut(right, "#")
	object := func(text string) relation.Object {
		typ, id, _ := strings.Cut(text, ":")
		return relation.Object{Type: typ, ID: id}
	}
	return object(resource), name, relation.Subject{Object: object(s), Relation: rel}
}

// over returns the schema over a graph of tuples; what follows a blank is how long one
// holds from now on, or "caveat".
func over(t *testing.T, tuples ...string) walk.View {
	t.Helper()
	return schema().Over(head(t, tuples...))
}

// head returns a graph of tuples, written as for over.
func head(t *testing.T, tuples ...string) *graph.Snapshot {
	t.Helper()
	g, err := graph.New(graph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	tx := g.Begin()
	for _, text := range tuples {
		text, rest, more := strings.Cut(text, " ")
		var tuple graph.Tuple
		tuple.Resource, tuple.Relation, tuple.Subject = parse(text)
		if rest == "caveat" {
			tuple.Caveat = rest
		} else if more {
			d, err := time.ParseDuration(rest)
			if err != nil {
				t.Fatal(err)
			}
			tuple.Expires = now.Add(d)
		}
		if _, err := tx.Touch(tuple); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Seal(1, now); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(1); err != nil {
		t.Fatal(err)
	}
	return g.Head()
}

func chain(n int) (tuples []string) {
	for i := range n {
		tuples = append(tuples, fmt.Sprintf("folder:%d#parent@folder:%d", i, i+1))
	}
	return append(tuples, fmt.Sprintf("folder:%d#viewer@user:1", n))
}

func TestCheck(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name, question string
		tuples         []string
		want           walk.Verdict
		why            walk.Reason
	}{
		{"direct", "folder:a#view@user:1", []string{"folder:a#viewer@user:1"}, walk.Allowed, walk.Answered},
		{"another's", "folder:a#view@user:2", []string{"folder:a#viewer@user:1"}, walk.Denied, walk.Answered},
		{"nobody knows them", "folder:x#view@user:y", nil, walk.Denied, walk.Answered},
		{"everybody", "folder:a#view@user:2", []string{"folder:a#viewer@user:*"}, walk.Allowed, walk.Answered},
		{"everybody but", "folder:a#view@user:2", []string{"folder:a#viewer@user:*", "folder:a#banned@user:2"}, walk.Denied, walk.Answered},
		{"banned above does not count below", "folder:b#view@user:1", []string{"folder:b#parent@folder:a", "folder:a#viewer@user:1", "folder:b#banned@user:1"}, walk.Allowed, walk.Answered},
		{"by groups", "folder:a#view@user:1", []string{"folder:a#viewer@group:g#member", "group:g#member@group:h#member", "group:h#member@user:1"}, walk.Allowed, walk.Answered},
		{"a group itself", "folder:a#view@group:h#member", []string{"folder:a#viewer@group:g#member", "group:g#member@group:h#member"}, walk.Allowed, walk.Answered},
		{"itself", "folder:x#view@folder:x#view", nil, walk.Allowed, walk.Answered},
		{"expired", "folder:a#view@user:1", []string{"folder:a#viewer@user:1 0s"}, walk.Denied, walk.Answered},
		{"not yet expired", "folder:a#view@user:1", []string{"folder:a#viewer@user:1 1ns"}, walk.Allowed, walk.Answered},
		{"ban expired", "folder:a#view@user:1", []string{"folder:a#viewer@user:1", "folder:a#banned@user:1 -1s"}, walk.Allowed, walk.Answered},
		{"all", "folder:a#agreed@user:1", []string{"folder:a#parent@folder:b", "folder:a#parent@folder:c", "folder:b#viewer@user:1", "folder:c#viewer@user:1"}, walk.Allowed, walk.Answered},
		{"all but one", "folder:a#agreed@user:1", []string{"folder:a#parent@folder:b", "folder:a#parent@folder:c", "folder:b#viewer@user:1"}, walk.Denied, walk.Answered},
		{"all of none", "folder:a#agreed@user:1", nil, walk.Denied, walk.Answered},
		{"caveat", "folder:a#view@user:1", []string{"folder:a#viewer@user:1 caveat"}, walk.Undecided, walk.Caveated},
		{"caveat of a ban", "folder:a#view@user:1", []string{"folder:a#viewer@user:1", "folder:a#banned@user:1 caveat"}, walk.Undecided, walk.Caveated},
		{"caveat of another", "folder:a#view@user:1", []string{"folder:a#viewer@user:1", "folder:a#viewer@user:2 caveat"}, walk.Allowed, walk.Answered},
		{"cycle", "folder:a#view@user:1", []string{"folder:a#parent@folder:b", "folder:b#parent@folder:a"}, walk.Undecided, walk.Cyclic},
		{"found in spite of the cycle", "folder:a#view@user:1", []string{"folder:a#parent@folder:a", "group:g#member@user:1", "folder:a#viewer@group:g#member"}, walk.Allowed, walk.Answered},
		{"found beyond the cycle", "folder:a#view@user:1", []string{"folder:a#parent@folder:a", "folder:a#parent@folder:b", "folder:b#viewer@user:1"}, walk.Allowed, walk.Answered},
		{"found within the cycle", "folder:a#view@user:1", []string{"folder:a#parent@folder:b", "folder:b#parent@folder:c", "folder:c#parent@folder:b", "folder:c#viewer@user:1"}, walk.Allowed, walk.Answered},
		{"all of a cycle and one", "folder:a#agreed@user:1", []string{"folder:a#parent@folder:b", "folder:a#parent@folder:c", "folder:c#viewer@group:g#member", "group:g#member@group:g#member"}, walk.Denied, walk.Answered},
		{"all of a cycle", "folder:a#agreed@user:1", []string{"folder:a#parent@folder:c", "folder:c#viewer@group:g#member", "group:g#member@group:g#member"}, walk.Undecided, walk.Cyclic},
		{"deep", "folder:0#view@user:1", chain(40), walk.Allowed, walk.Answered},
		{"too deep", "folder:0#view@user:1", chain(60), walk.Undecided, walk.TooDeep},
		{"not compiled", "folder:a#strange@user:1", []string{"folder:a#viewer@user:1"}, walk.Undecided, walk.NotCompiled},
		{"not compiled within", "folder:a#more_strange@user:1", []string{"folder:a#viewer@user:1"}, walk.Undecided, walk.NotCompiled},
		{"no such permission", "folder:a#nothing@user:1", nil, walk.Undecided, walk.UnknownName},
		{"no such type", "box:a#view@user:1", nil, walk.Undecided, walk.UnknownName},
		{"no such subject", "folder:a#view@ghost:1", nil, walk.Undecided, walk.UnknownName},
		{"no such relation of a subject", "folder:a#view@group:g#nothing", nil, walk.Undecided, walk.UnknownName},
		{"wildcard asks", "folder:a#view@user:*", []string{"folder:a#viewer@user:*"}, walk.Undecided, walk.UnknownName},
		{"wildcard asked about", "folder:*#view@user:1", nil, walk.Undecided, walk.UnknownName},
		{"bad id", "folder:a b#view@user:1", nil, walk.Undecided, walk.UnknownName},
	} {
		t.Run(c.name, func(t *testing.T) {
			view := over(t, c.tuples...)
			o, permission, s := parse(c.question)
			got, why := view.Check(t.Context(), relation.Question{Object: o, Permission: permission, Subject: s}, now)
			if got != c.want || why != c.why {
				t.Errorf("%v, %s; want %v, %s", got, why, c.want, c.why)
			}
		})
	}
	view := over(t, slices.Concat(many("folder:a#viewer@group:%d#member", 5000), many("group:%d#member@user:2", 5000))...)
	o, permission, s := parse("folder:a#view@user:1")
	if got, why := view.Check(canceled, relation.Question{Object: o, Permission: permission, Subject: s}, now); got != walk.Undecided || why != walk.Canceled {
		t.Errorf("canceled: %v, %s", got, why)
	}
	if _, why := view.Resources(canceled, nil, nil, "folder", "view", relation.Subject{Object: relation.Object{Type: "user", ID: "2"}}, now); why != walk.Canceled {
		t.Errorf("canceled list: %s", why)
	}
}

func many(format string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

// A check does not allocate once it has run.
func TestCheckAllocates(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector lets pools forget")
	}
	view := over(t, slices.Concat(chain(30), many("folder:3#viewer@group:%d#member", 200), many("group:%d#member@user:2", 200))...)
	o, permission, s := parse("folder:0#view@user:3")
	q := relation.Question{Object: o, Permission: permission, Subject: s}
	if n := testing.AllocsPerRun(100, func() { view.Check(t.Context(), q, now) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLists(t *testing.T) {
	view := over(t,
		"folder:b#parent@folder:a", "folder:a#viewer@user:1", "folder:a#viewer@group:g#member", "group:g#member@user:2",
		"folder:c#viewer@user:*", "folder:d#viewer@user:1", "folder:d#banned@user:1", "folder:e#viewer@user:1 -1s",
		"folder:f#viewer@user:3 caveat", "folder:h#parent@folder:i", "folder:i#parent@folder:h", "folder:i#viewer@user:4")
	ids := func(nodes []graph.Node) (out []string) {
		for _, n := range nodes {
			out = append(out, view.Snapshot().ID(n))
		}
		slices.Sort(out)
		return out
	}
	for user, want := range map[string]string{"1": "[a b c] answered", "2": "[a b c] answered", "3": "[] caveat", "4": "[] cycle", "9": "[c] answered"} {
		found, why := view.Resources(t.Context(), nil, nil, "folder", "view", relation.Subject{Object: relation.Object{Type: "user", ID: user}}, now)
		if why != walk.Answered {
			found = nil
		}
		if got := fmt.Sprintf("%v %s", ids(found), why); got != want {
			t.Errorf("folders of user %s: %s, want %s", user, got, want)
		}
	}
	for folder, want := range map[string]string{"b": "[1 2] false answered", "c": "[] true answered", "d": "[] false answered", "f": "[] false caveat", "h": "[] false cycle"} {
		found, everyone, why := view.Subjects(t.Context(), nil, relation.Object{Type: "folder", ID: folder}, "view", "user", "", now)
		if got := fmt.Sprintf("%v %v %s", ids(found), everyone, why); got != want {
			t.Errorf("users of folder %s: %s, want %s", folder, got, want)
		}
	}
}

// A schema that is bound to newer words answers over a snapshot that has none of them.
func TestOlderSnapshot(t *testing.T) {
	g, err := graph.New(graph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, older := schema(), g.Head()
	tx := g.Begin()
	var tuple graph.Tuple
	tuple.Resource, tuple.Relation, tuple.Subject = parse("folder:a#viewer@user:*")
	if _, err := tx.Touch(tuple); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Seal(1, now); err != nil {
		t.Fatal(err)
	}
	if err := g.Publish(1); err != nil {
		t.Fatal(err)
	}
	user := relation.Subject{Object: relation.Object{Type: "user", ID: "1"}}
	for snap, want := range map[*graph.Snapshot]int{g.Head(): 1, older: 0} { // in either order: what is bound stays
		for range 2 {
			_ = s.Over(g.Head())
			view := s.Over(snap)
			if found, why := view.Resources(t.Context(), nil, nil, "folder", "view", user, now); why != walk.Answered || len(found) != want {
				t.Errorf("user 1 has %d folders, %s, want %d", len(found), why, want)
			}
			q := relation.Question{Object: relation.Object{Type: "folder", ID: "a"}, Permission: "view", Subject: user}
			if got, why := view.Check(t.Context(), q, now); (got == walk.Allowed) != (want == 1) {
				t.Errorf("%v: %v, %s", q, got, why)
			}
			_, everyone, why := view.Subjects(t.Context(), nil, q.Object, "view", "user", "", now)
			if everyone != (want == 1) || everyone && why != walk.Answered { // SpiceDB is asked about words that nobody has
				t.Errorf("everyone is a user of the folder: %v, %s", everyone, why)
			}
		}
	}
}

// Schemas are bound to new words while others ask.
func TestConcurrent(t *testing.T) {
	g, err := graph.New(graph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := schema()
	var asking sync.WaitGroup
	stop := make(chan struct{})
	for i := range 4 {
		asking.Go(func() {
			subject := relation.Subject{Object: relation.Object{Type: "user", ID: fmt.Sprint(i)}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				view := s.Over(g.Head())
				found, why := view.Resources(t.Context(), nil, nil, "folder", "view", subject, now)
				if why != walk.Answered {
					t.Error(why)
					return
				}
				for _, n := range found {
					q := relation.Question{Object: view.Snapshot().Object(n), Permission: "view", Subject: subject}
					if got, why := view.Check(t.Context(), q, now); got != walk.Allowed {
						t.Errorf("%v is listed; the check says %v, %s", q, got, why)
						return
					}
				}
			}
		})
	}
	for i, text := range []string{
		"folder:a#viewer@user:0", "folder:b#parent@folder:a", "folder:a#viewer@group:g#member", "group:g#member@user:1",
		"group:g#member@group:h#member", "group:h#member@user:2", "folder:c#viewer@user:*", "folder:c#banned@user:3",
	} {
		tx := g.Begin()
		var tuple graph.Tuple
		tuple.Resource, tuple.Relation, tuple.Subject = parse(text)
		if _, err := tx.Touch(tuple); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Seal(uint64(i+1), now); err != nil {
			t.Fatal(err)
		}
		if err := g.Publish(uint64(i + 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // gives those who ask some time with each word
	}
	close(stop)
	asking.Wait()
	q := relation.Question{Object: relation.Object{Type: "folder", ID: "b"}, Permission: "view", Subject: relation.Subject{Object: relation.Object{Type: "user", ID: "2"}}}
	if got, why := s.Over(g.Head()).Check(t.Context(), q, now); got != walk.Allowed {
		t.Errorf("at the end: %v, %s", got, why)
	}
}
