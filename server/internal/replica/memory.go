package replica

import (
	"sort"
	"sync"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// maxKept is how many states are remembered. The graph forgets them by their age too.
const maxKept = 8192

// memory is what the replica was, so that a reader that was given a revision is answered at
// it for a while.
type memory struct {
	mu    sync.Mutex
	graph *graph.Graph
	kept  []kept // the oldest first
}

// kept is a state and the horizons between which it was the same.
type kept struct {
	from, through horizon
	revision      uint64 // of the graph
	state         *State // for its schema; its snapshot is not kept alive
}

func (m *memory) reset(g *graph.Graph) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.graph, m.kept = g, nil
}

// add puts a state in. changed says whether anything was written since the state before,
// even if nothing of it is left.
func (m *memory) add(s *State, changed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.kept); n > 0 && !changed {
		m.kept[n-1].through = s.horizon
		return
	}
	if len(m.kept) == maxKept {
		m.kept = append(m.kept[:0], m.kept[maxKept/4:]...)
	}
	schema := *s
	schema.Snapshot = nil
	m.kept = append(m.kept, kept{s.horizon, s.horizon, s.Snapshot.Revision(), &schema})
}

// find returns the state at a horizon: that of a state which contained no more than it does,
// and went on to contain all that it does while nothing changed.
func (m *memory) find(h horizon) (*State, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := sort.Search(len(m.kept), func(i int) bool { return m.kept[i].from.next > h.next })
	for i := after - 1; i >= 0 && m.kept[i].through.next >= h.next; i-- {
		k := &m.kept[i]
		if !k.from.within(h) || !h.within(k.through) {
			continue
		}
		snapshot, err := m.graph.At(k.revision)
		if err != nil {
			return nil, false // forgotten
		}
		state := *k.state
		state.Snapshot = snapshot
		return &state, true
	}
	return nil, false
}
