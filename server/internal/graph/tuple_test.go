package graph_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// TestSum pins checksums: they are kept in files, and must be the same for ever.
func TestSum(t *testing.T) {
	plain := viewer("50076451", "200013370")
	full := plain
	full.Subject.Relation = "member"
	full.Expires = time.Date(9999, 12, 31, 23, 59, 59, 5, time.FixedZone("", 3600))
	full.Caveat, full.Context, full.Note = "office_hours", `{"tz":"Europe/Oslo"}`, "n"
	for _, c := range []struct {
		tuple graph.Tuple
		want  uint64
	}{
		{graph.Tuple{}, 0xd936178c97a1d17a},
		{plain, 0x271b0b0f0381fd1b},
		{full, 0x54f55343b66a26de},
	} {
		if got := graph.Sum(&c.tuple); got != c.want {
			t.Errorf("Sum(%+v) = %#x, want %#x", c.tuple, got, c.want)
		}
	}
}

// TestSumDiffers: what differs in any way has another checksum.
func TestSumDiffers(t *testing.T) {
	seen := make(map[uint64]string)
	add := func(change func(*graph.Tuple)) {
		tu := viewer("ab", "cd")
		tu.Subject.Relation = "ef"
		tu.Caveat, tu.Context = "gh", "ij"
		change(&tu)
		text := fmt.Sprintf("%#v", tu)
		if have, ok := seen[graph.Sum(&tu)]; ok {
			t.Errorf("one sum:\n%s\n%s", have, text)
		}
		seen[graph.Sum(&tu)] = text
	}
	add(func(*graph.Tuple) {})
	for _, text := range []string{"", "a", "b", "abc", "abcdefgh", "abcdefghi", "abcdefgh\x00", "\x00", "gh", "ij"} {
		add(func(tu *graph.Tuple) { tu.Resource.Type = text })
		add(func(tu *graph.Tuple) { tu.Resource.ID = text })
		add(func(tu *graph.Tuple) { tu.Relation = text })
		add(func(tu *graph.Tuple) { tu.Subject.Type = text })
		add(func(tu *graph.Tuple) { tu.Subject.ID = text })
		add(func(tu *graph.Tuple) { tu.Subject.Relation = text })
		add(func(tu *graph.Tuple) { tu.Note = text + "." })
	}
	add(func(tu *graph.Tuple) { tu.Caveat, tu.Context = "ghi", "j" })
	add(func(tu *graph.Tuple) { tu.Caveat, tu.Context = "", "" })
	for i := range 1000 {
		add(func(tu *graph.Tuple) { tu.Expires = epoch.Add(time.Duration(i) * time.Nanosecond) })
		add(func(tu *graph.Tuple) { tu.Resource.ID = fmt.Sprint(i) })
	}
}

// TestRefuses: what cannot be kept is refused and changes nothing.
func TestRefuses(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for name, spoil := range map[string]func(*graph.Tuple){
		"resource type": func(tu *graph.Tuple) { tu.Resource.Type = "" },
		"resource id":   func(tu *graph.Tuple) { tu.Resource.ID = "" },
		"relation":      func(tu *graph.Tuple) { tu.Relation = "" },
		"subject type":  func(tu *graph.Tuple) { tu.Subject.Type = "" },
		"subject id":    func(tu *graph.Tuple) { tu.Subject.ID = "" },
		"long resource": func(tu *graph.Tuple) { tu.Resource.ID = long },
		"long subject":  func(tu *graph.Tuple) { tu.Subject.ID = long },
	} {
		g := newGraph(t, graph.Config{})
		tx := g.Begin()
		tu := viewer("1", "a")
		spoil(&tu)
		if _, err := tx.Touch(tu); err == nil {
			t.Errorf("%s: Touch took it", name)
		}
		if err := tx.Create(tu); err == nil {
			t.Errorf("%s: Create took it", name)
		}
		if deleted, err := tx.Delete(tu); err != nil || deleted {
			t.Errorf("%s: Delete = %v, %v", name, deleted, err)
		}
		if tx.Changed() || tx.View().Nodes() != 0 {
			t.Errorf("%s: something changed", name)
		}
		tx.Drop()
		l, err := g.NewLoader()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Add(&tu); err == nil || l.Len() != 0 {
			t.Errorf("%s: Add took it", name)
		}
		l.Drop()
	}
	if _, err := graph.New(graph.Config{Recent: -1}); err == nil {
		t.Error("a negative bound was taken")
	}
}

// TestManyRelations writes more relations than a schema has on one object.
func TestManyRelations(t *testing.T) {
	g := newGraph(t, graph.Config{})
	tx := g.Begin()
	defer tx.Drop()
	tu := viewer("1", "a")
	for i := range 2000 {
		tu.Relation = fmt.Sprint("r", i)
		if _, err := tx.Touch(tu); err != nil {
			t.Fatal(err)
		}
	}
	s := tx.View()
	if s.Rels() != 2001 || s.Tuples() != 2000 {
		t.Errorf("%d relations, %d tuples", s.Rels(), s.Tuples())
	}
	res, _ := s.Node("doc", "1")
	rel, ok := s.Rel("doc", "r777")
	c := s.Forward(res).Relation(rel)
	if run := c.Next(); !ok || len(run) != 1 || run[0].Rel() != rel || len(c.Next()) != 0 {
		t.Errorf("Relation: %x", run)
	}
	if typ, name := s.RelName(rel); typ != "doc" || name != "r777" {
		t.Errorf("RelName = %s#%s", typ, name)
	}
}

// TestPayloadTime: an expiry is kept to the nanosecond, whatever its zone and year, and a
// tuple no longer holds at its instant.
func TestPayloadTime(t *testing.T) {
	g := newGraph(t, graph.Config{})
	tx := g.Begin()
	defer tx.Drop()
	tu := viewer("1", "a")
	tu.Expires = time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", 3600))
	if err := tx.Create(tu); err != nil {
		t.Fatal(err)
	}
	zoned := tu
	zoned.Expires = tu.Expires.UTC()
	if changed, err := tx.Touch(zoned); err != nil || changed {
		t.Errorf("the same instant in another zone is a change: %v, %v", changed, err)
	}
	if e, ok := errors.AsType[*graph.ExistsError](tx.Create(tu)); !ok || !e.Existing.Expires.Equal(tu.Expires) || !strings.Contains(e.Error(), tu.String()) {
		t.Errorf("Create = %v", e)
	}
	for now, want := range map[time.Time]bool{tu.Expires.Add(-1): true, tu.Expires: false, tu.Expires.Add(1): false, {}: true} {
		if got := tx.View().Exists(graph.Query{Now: now}); got != want {
			t.Errorf("at %v: %v", now, got)
		}
	}
	res, _ := tx.View().Node("doc", "1")
	sub, _ := tx.View().Node("user", "a")
	rel, _ := tx.View().Rel("doc", "viewer")
	kind, _ := tx.View().Rel("user", "")
	if p := tx.View().Payload(res, rel, sub, kind); p == nil || !p.Expires.Equal(tu.Expires) || p.Holds(tu.Expires) {
		t.Errorf("Payload = %+v", p)
	}
}

// TestKeepsNoBuffer: the graph keeps no text of the caller's.
func TestKeepsNoBuffer(t *testing.T) {
	g := newGraph(t, graph.Config{})
	buf := []byte("docviewer1usera")
	text := string(buf)
	tx := g.Begin()
	defer tx.Drop()
	tu := graph.Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: text[:3], ID: text[9:10]}, Relation: text[3:9],
		Subject: relation.Subject{Object: relation.Object{Type: text[10:14], ID: text[14:]}},
	}, Caveat: text[:3], Context: text[3:9], Note: text[9:]}
	if _, err := tx.Touch(tu); err != nil {
		t.Fatal(err)
	}
	for got := range tx.View().Query(graph.Query{}) {
		if got != tu {
			t.Errorf("got %+v, want %+v", got, tu)
		}
		for _, part := range []string{got.Resource.Type, got.Resource.ID, got.Relation, got.Subject.Type, got.Subject.ID, got.Caveat, got.Context, got.Note} {
			if within(part, text) {
				t.Errorf("%q lies in the caller's memory", part)
			}
		}
	}
}

// within reports whether a text lies in the memory of another.
func within(part, whole string) bool {
	at, from := uintptr(unsafe.Pointer(unsafe.StringData(part))), uintptr(unsafe.Pointer(unsafe.StringData(whole)))
	return at >= from && at < from+uintptr(len(whole))
}

// TestReadsDoNotAllocate: what walks are made of costs no garbage, on small lists and large.
func TestReadsDoNotAllocate(t *testing.T) {
	w := newWorld(5000)
	g, s := w.load(t)
	tu := viewer(partyID(7), userID(0))
	tu.Resource.Type, tu.Relation, tu.Expires = "party", "dagl", epoch
	publish(t, g, 2, epoch, tu)
	party, user := partyID(7), userID(0)
	var sum graph.Edge
	for name, read := range map[string]func(){
		"check by names": func() {
			s := g.Head()
			res, _ := s.Node("party", party)
			sub, _ := s.Node("user", user)
			rel, _ := s.Rel("party", "dagl")
			kind, _ := s.Rel("user", "")
			e, ok := s.HasEdge(res, rel, sub, kind)
			if !ok || s.Forward(res).Payload(e).Holds(epoch) || !s.Payload(res, rel, sub, kind).Holds(epoch.Add(-1)) {
				t.Error("the tuple is not as it was written")
			}
		},
		"large list": func() {
			sub, _ := s.Node("user", user)
			l := s.Reverse(sub)
			for e, ok := l.Seek(0); ok; e, ok = l.Seek(e + 1<<20) {
				sum += e
			}
			c := l.All()
			for run := c.Next(); len(run) > 0; run = c.Next() {
				sum += run[0]
			}
		},
		"between": func() {
			res, _ := s.Node("party", party)
			sub, _ := s.Node("user", user)
			var buf [16]graph.Edge
			for _, e := range s.Between(buf[:0], res, sub) {
				sum += e
			}
		},
		"names": func() {
			res, _ := s.Node("party", party)
			if o := s.Object(res); o.ID != party || s.ID(res) != party || s.TypeOf(res) != 0 && o.Type == "" {
				t.Error(o)
			}
		},
		"at": func() {
			if _, err := g.At(1); err != nil {
				t.Error(err)
			}
		},
	} {
		if n := testing.AllocsPerRun(20, read); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if sum == 0 {
		t.Error("nothing was read")
	}
}
