package party

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDirectoryFindsByEveryIdentifier(t *testing.T) {
	d := NewDirectory()
	kasper := Party{ID: 1, UUID: "EE007DB6-0000-4000-8000-000000000001", Kind: Person, Name: "KASPER BØRSTAD", NationalID: "07124912037", UserID: 20001337}
	skrova := Party{ID: 2, UUID: "35042029-f290-473c-9770-2e256bb50d3b", Kind: Organisation, Name: "SKROVA", OrgNumber: "910042963"}
	d.Apply([]Party{kasper, skrova}, nil)
	kasper.UUID = "ee007db6-0000-4000-8000-000000000001"

	want := func(step string, want Party, got Party, ok bool) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" || ok != (want.ID != 0) {
			t.Errorf("%s: %v (-want +got):\n%s", step, ok, diff)
		}
	}
	p, ok := d.Get(2)
	want("id", skrova, p, ok)
	p, ok = d.ByUUID("Ee007DB6-0000-4000-8000-000000000001")
	want("uuid", kasper, p, ok)
	p, ok = d.ByOrgNumber("910042963")
	want("number", skrova, p, ok)
	p, ok = d.ByNationalID("07124912037")
	want("national id", kasper, p, ok)
	p, ok = d.ByUser(20001337)
	want("user", kasper, p, ok)
	p, ok = d.ByOrgNumber("")
	want("no number", Party{}, p, ok)
	p, ok = d.ByUser(0)
	want("no user", Party{}, p, ok)

	// A number moves to another party within one Apply, in either order.
	moved := Party{ID: 3, OrgNumber: "910042963"}
	skrova.OrgNumber = ""
	d.Apply([]Party{moved, skrova}, nil)
	p, ok = d.ByOrgNumber("910042963")
	want("moved number", moved, p, ok)

	d.Apply(nil, []ID{1, 3, 99})
	p, ok = d.ByUser(20001337)
	want("removed", Party{}, p, ok)
	p, ok = d.ByOrgNumber("910042963")
	want("removed number", Party{}, p, ok)
	if d.Len() != 1 {
		t.Errorf("%d parties, want 1", d.Len())
	}
}

func TestDirectoryLoad(t *testing.T) {
	const n = 2*loadBatch + 7
	d := NewDirectory()
	err := d.Load(t.Context(), func(_ context.Context, yield func(Party) error) error {
		for i := range n {
			if err := yield(Party{ID: ID(i + 1), Name: fmt.Sprint("NAME ", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || d.Len() != n {
		t.Errorf("Load: %v, %d parties, want %d", err, d.Len(), n)
	}
	broken := errors.New("broken")
	if err := d.Load(t.Context(), func(context.Context, func(Party) error) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("Load of a broken source: %v", err)
	}
}

// Readers see all of an Apply or nothing of it.
func TestDirectoryApplyIsAtomic(t *testing.T) {
	d := NewDirectory()
	both := func(name string) []Party { return []Party{{ID: 1, Name: name}, {ID: 2, Name: name}} }
	d.Apply(both("0"), nil)
	var writer sync.WaitGroup
	done := make(chan struct{})
	writer.Go(func() {
		defer close(done)
		for i := range 2000 {
			d.Apply(both(fmt.Sprint(i)), nil)
		}
	})
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		if l, _ := d.listings([]ID{1, 2}, 0); l[0].record.party().Name != l[1].record.party().Name {
			t.Errorf("one party is %q and the other %q", l[0].record.party().Name, l[1].record.party().Name)
			reading = false
		}
	}
	writer.Wait()
}

func TestTopOfHierarchy(t *testing.T) {
	d := NewDirectory()
	d.Apply([]Party{
		{ID: 1}, {ID: 2, MainUnit: 1}, {ID: 3, MainUnit: 2}, // two levels
		{ID: 4, MainUnit: 99},                                            // a main unit without a record
		{ID: 5, MainUnit: 5},                                             // itself
		{ID: 6, MainUnit: 7}, {ID: 7, MainUnit: 8}, {ID: 8, MainUnit: 6}, // a circle
	}, nil)
	for id, want := range map[ID]ID{1: 1, 2: 1, 3: 1, 4: 99, 5: 5, 6: 6, 7: 7, 8: 8, 50: 50} {
		if got, _ := d.top(id, d.byID[id], d.changed, nil); got != want {
			t.Errorf("top(%d) = %d, want %d", id, got, want)
		}
	}
}

// A list keeps the places of its first page for as long as the history reaches back.
func TestHistory(t *testing.T) {
	d := NewDirectory()
	d.Apply([]Party{{ID: 1, Name: "A"}, {ID: 2, Name: "B", MainUnit: 1}}, nil)
	_, then := d.listings(nil, 0)
	place := func(id ID) string {
		list, _ := d.listings([]ID{id}, then)
		switch l := list[0]; {
		case l.placed == nil:
			return "none"
		case l.main != nil:
			return l.placed.party().Name + " in " + l.main.placed.party().Name
		default:
			return l.placed.party().Name
		}
	}
	want := func(step string, id ID, want string) {
		t.Helper()
		if got := place(id); got != want {
			t.Errorf("%s: party %d is placed as %s, want %s", step, id, got, want)
		}
	}
	d.Apply([]Party{{ID: 1, Name: "X"}, {ID: 2, Name: "Y"}, {ID: 3, Name: "NEW"}}, nil)
	d.Apply([]Party{{ID: 1, Name: "Z"}}, []ID{2})
	want("renamed twice", 1, "A")
	want("renamed and removed", 2, "B in A")
	want("new", 3, "none")
	if list, _ := d.listings([]ID{1}, 0); list[0].placed.party().Name != "Z" {
		t.Errorf("a new list places party 1 as %s", list[0].placed.party().Name)
	}

	kept := len(d.history.queue)
	d.Apply([]Party{{ID: 1, Name: "Z", UUID: "changed"}}, nil)
	if len(d.history.queue) != kept {
		t.Error("a change that moves nothing is kept")
	}
	for i := range maxPast {
		d.Apply([]Party{{ID: 4, Name: fmt.Sprint(i)}}, nil)
	}
	want("forgotten", 1, "Z")
	if len(d.history.queue) != maxPast || len(d.history.past) != 1 || len(d.history.past[4]) != maxPast {
		t.Errorf("the history keeps %d changes of %d parties", len(d.history.queue), len(d.history.past))
	}
}

func BenchmarkListings(b *testing.B) {
	const n = 10_000
	d := NewDirectory()
	puts := make([]Party, n)
	ids := make([]ID, n)
	for i := range puts {
		puts[i] = Party{ID: ID(i + 1), Name: fmt.Sprintf("%x OG SØNN %d", i*7919%n, i), OrgNumber: fmt.Sprint(910000000 + i)}
		ids[i] = puts[i].ID
	}
	d.Apply(puts, nil)
	for b.Loop() {
		list, _ := d.listings(ids, 0)
		_, _ = newOrdered(list, ByName.position).page(position{}, 100)
	}
}
