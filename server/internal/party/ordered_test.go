package party

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// Whatever pages are asked for in whatever order, they are those of the whole list sorted.
func TestOrderedPages(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 127, 128, 129, 1000, 5000} {
		for _, names := range []int{1, 3, 100_000} { // all alike, many alike, few alike
			list := make([]position, n)
			for i := range list {
				list[i] = position{last: random.IntN(20) == 0, id: ID(i + 1), key: fmt.Sprintf("a long common %d", random.IntN(names))}
			}
			random.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
			want := slices.Clone(list)
			slices.SortFunc(want, position.compare)
			o := newOrdered(list, func(p position) position { return p })
			var readers sync.WaitGroup
			for range 4 {
				seed := random.Uint64()
				readers.Go(func() { readPages(t, o, want, rand.New(rand.NewPCG(seed, 0))) })
			}
			readers.Wait()
		}
	}
}

func readPages(t *testing.T, o *ordered[position], want []position, random *rand.Rand) {
	for range 20 {
		from, size := 0, random.IntN(1+len(want)/3)
		var after position
		if len(want) > 0 && random.IntN(3) > 0 {
			from = 1 + random.IntN(len(want))
			after = want[from-1]
		}
		to := len(want)
		if size > 0 {
			to = min(to, from+size)
		}
		page, more := o.page(after, size)
		if len(page) != to-from || more != (to < len(want)) {
			t.Errorf("%d after %v of %d: %d, more %v; want %d", size, after, len(want), len(page), more, to-from)
			return
		}
		for i, s := range page {
			if s.of != want[from+i] {
				t.Errorf("%d after %v of %d: place %d has %v, want %v", size, after, len(want), i, s.of, want[from+i])
				return
			}
		}
	}
}
