package graph

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func probeInt(want int) func(int) int { return func(have int) int { return cmp.Compare(want, have) } }

// sound checks what every branch promises.
func sound(t *testing.T, b *branch[int], top bool) (least, greatest, depth int) {
	t.Helper()
	if len(b.keys) > b.limit() || len(b.keys) == 0 || top && b.kids != nil && len(b.kids) < 2 {
		t.Fatalf("a branch has %d keys", len(b.keys))
	}
	if b.kids == nil {
		if !slices.IsSorted(b.keys) {
			t.Fatalf("leaf %v", b.keys)
		}
		return b.keys[0], b.keys[len(b.keys)-1], 1
	}
	if len(b.kids) != len(b.keys) {
		t.Fatalf("%d kids, %d keys", len(b.kids), len(b.keys))
	}
	for i, kid := range b.kids {
		lo, hi, d := sound(t, kid, false)
		if i == 0 {
			least, depth = lo, d+1
		} else if b.keys[i] <= greatest || b.keys[i] > lo {
			t.Fatalf("key %d between %d and %d", b.keys[i], greatest, lo)
		}
		if d+1 != depth {
			t.Fatalf("depth %d beside %d", d+1, depth)
		}
		greatest = hi
	}
	return least, greatest, depth
}

func TestTree(t *testing.T) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 9))
		var built []int
		for i := range int(seed) * 5000 {
			built = append(built, 3*i)
		}
		tr := buildTree(1, built)
		set := make(map[int]bool)
		for _, k := range built {
			set[k] = true
		}
		type version struct {
			tree tree[int]
			keys []int
		}
		var versions []version
		for step := range 40 {
			epoch := uint64(step + 2)
			grow := step%20 < 12 // and then shrink to almost nothing
			for range 2500 {
				k := rng.IntN(20_000)
				if rng.IntN(10) < 3 {
					k = 20_000 + step*2500 + rng.IntN(2500) // at the end
				}
				if grow {
					if _, replaced := tr.put(epoch, k, probeInt(k)); replaced != set[k] {
						t.Fatalf("put(%d) replaced: %v", k, replaced)
					}
					set[k] = true
					continue
				}
				for k = range set {
					break
				}
				if old, removed := tr.remove(epoch, probeInt(k)); removed != set[k] || removed && old != k {
					t.Fatalf("remove(%d) = %d, %v", k, old, removed)
				}
				delete(set, k)
			}
			keys := make([]int, 0, len(set))
			for k := range set {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			versions = append(versions, version{tr, keys})
		}
		for i, v := range versions { // each is as it was when its epoch ended
			var got []int
			v.tree.all(func(k int) bool { got = append(got, k); return true })
			if !slices.Equal(got, v.keys) || v.tree.size != len(v.keys) {
				t.Fatalf("version %d: %d keys (size %d), want %d", i, len(got), v.tree.size, len(v.keys))
			}
			if v.tree.root != nil {
				sound(t, v.tree.root, true)
			}
			for range 200 {
				k := rng.IntN(130_000)
				from, has := slices.BinarySearch(v.keys, k)
				if _, ok := v.tree.find(probeInt(k)); ok != has {
					t.Fatalf("version %d: find(%d) = %v", i, k, ok)
				}
				got = got[:0]
				v.tree.ascend(probeInt(k), func(k int) bool { got = append(got, k); return len(got) < 300 })
				if !slices.Equal(got, v.keys[from:min(from+300, len(v.keys))]) {
					t.Fatalf("version %d: ascend(%d) differs", i, k)
				}
			}
		}
	}
}

// TestTreeDensity: keys that come in order leave leaves nearly full, and what shrinks does
// not leave many nearly empty ones.
func TestTreeDensity(t *testing.T) {
	leaves := func(tr *tree[int]) int {
		n := 0
		var count func(b *branch[int])
		count = func(b *branch[int]) {
			if b.kids == nil {
				n++
			}
			for _, kid := range b.kids {
				count(kid)
			}
		}
		count(tr.root)
		return n
	}
	var tr tree[int]
	const keys = 100_000
	for k := range keys {
		tr.put(1, k, probeInt(k))
	}
	if n := leaves(&tr); n > keys/100 {
		t.Errorf("%d keys in order took %d leaves", keys, n)
	}
	for k := range keys {
		if k%20 != 0 {
			tr.remove(2, probeInt(k))
		}
	}
	if n := leaves(&tr); n > keys/20/24 {
		t.Errorf("%d keys left in %d leaves", keys/20, n)
	}
}
