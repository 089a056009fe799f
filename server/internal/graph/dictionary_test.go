package graph

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestDictionary adds and takes back names of all lengths beside a map, and looks at each
// from where it was visible.
func TestDictionary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	d := newDictionary()
	type name struct {
		typ Type
		id  string
	}
	known := make(map[name]Node)
	var order []name
	ends := []uint64{0}
	draw := func() name {
		id := fmt.Sprint(rng.IntN(60_000))
		if rng.IntN(50) == 0 {
			id += strings.Repeat("x", rng.IntN(maxID-6))
		}
		return name{Type(rng.IntN(3)), id}
	}
	for round := range 60 {
		nodes, end := d.nodes, d.arena.end
		before := len(order)
		for range 1000 {
			n := draw()
			have, ok := d.find(n.typ, n.id, d.arena.end)
			want, exists := known[n]
			if ok != exists || have != want {
				t.Fatalf("find(%d:%.20s) = %d, %v; want %d, %v", n.typ, n.id, have, ok, want, exists)
			}
			if exists {
				continue
			}
			added, err := d.add(n.typ, n.id)
			if err != nil || int(added) != len(order) {
				t.Fatalf("add = %d, %v; want %d", added, err, len(order))
			}
			known[n] = added
			order = append(order, n)
			ends = append(ends, d.arena.end)
		}
		if round%3 == 1 {
			d.undo(nodes, end)
			for _, n := range order[before:] {
				delete(known, n)
				if _, ok := d.find(n.typ, n.id, maxArena); ok {
					t.Fatalf("%d:%.20s was taken back and is found", n.typ, n.id)
				}
			}
			order, ends = order[:before], ends[:before+1]
		}
	}
	for i, n := range order {
		if typ, id := d.name(Node(i)); typ != n.typ || id != n.id {
			t.Fatalf("name(%d) = %d:%.20s, want %d:%.20s", i, typ, id, n.typ, n.id)
		}
		// A reader whose names end before this one does not see it.
		if _, ok := d.find(n.typ, n.id, ends[i]); ok {
			t.Fatalf("name %d is seen from before it was there", i)
		}
		if have, ok := d.find(n.typ, n.id, ends[i+1]); !ok || have != Node(i) {
			t.Fatalf("name %d is not seen from after it was added", i)
		}
	}
	if per := d.bytes() / len(order); per > 200 { // the long names weigh most
		t.Errorf("a name takes %d bytes", per)
	}
}

// TestDictionaryTakesBackForLittle: names that are taken back again and again leave nothing.
func TestDictionaryTakesBackForLittle(t *testing.T) {
	d := newDictionary()
	if _, err := d.add(0, "first"); err != nil {
		t.Fatal(err)
	}
	nodes, end := d.nodes, d.arena.end
	for round := range 2000 {
		for i := range 20 {
			if _, err := d.add(0, fmt.Sprintf("%d/%d", round, i)); err != nil {
				t.Fatal(err)
			}
		}
		d.undo(nodes, end)
	}
	if size := d.bytes(); size > 2*chunkSize+4*offsetChunk+1<<17 {
		t.Errorf("the dictionary of one name takes %d bytes", size)
	}
	if n, ok := d.find(0, "first", d.arena.end); !ok || n != 0 {
		t.Errorf("find = %d, %v", n, ok)
	}
}

// TestDictionaryFull: when offsets run out, a name is refused, not wrapped around.
func TestDictionaryFull(t *testing.T) {
	d := newDictionary()
	d.arena.end = maxArena - 4
	if _, err := d.add(0, "name"); err == nil {
		t.Error("a name beyond the arena was taken")
	}
	if d.nodes != 0 {
		t.Errorf("%d names", d.nodes)
	}
}

func TestMask(t *testing.T) {
	m := NewMask(0, 63, 64, 1000)
	for r := range Rel(1100) {
		if want := r == 0 || r == 63 || r == 64 || r == 1000; m.Has(r) != want {
			t.Errorf("Has(%d) = %v", r, !want)
		}
	}
	if m.Len() != 4 || Mask(nil).Len() != 0 || Mask(nil).Has(3) {
		t.Errorf("Len = %d", m.Len())
	}
}

func TestEdge(t *testing.T) {
	e := MakeEdge(maxRels-1, 1, 1<<32-1) | markCaveated
	if e.Rel() != maxRels-1 || e.Kind() != 1 || e.Node() != 1<<32-1 || !e.Caveated() || e.Unconditional() {
		t.Errorf("%x", e)
	}
	if e.key() != MakeEdge(maxRels-1, 1, 1<<32-1) || firstOf(e.group()) != MakeEdge(maxRels-1, 1, 0) {
		t.Errorf("key %x, group %x", e.key(), e.group())
	}
}
