package engine

import (
	"slices"
	"sync"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/walk"
	"github.com/behalf-authz/behalf/server/internal/weighted"
)

// The bounds of what is kept of lists.
const (
	// leastKept is how many objects a list rests on at least: shorter ones are walked as fast
	// as they are found.
	leastKept = 256
	// mostKept is how many objects all lists together rest on, at some 30 bytes each. What their
	// ids take beyond that counts as more objects.
	mostKept   = 2 << 20
	objectSize = 32
	// keptFor is for how long a list is kept that nobody asks for.
	keptFor = 2 * time.Minute
)

// lists keeps long lists for who asks again, be it for the next page. None is given out for
// a state or an instant for which its proof does not hold: what has become of a right is seen
// by the next question, as if nothing were kept.
type lists struct {
	least int // see leastKept

	mu     sync.Mutex
	kept   map[asked][]*keptList
	recent *weighted.Shelf[*keptList]
	ended  []ending // in the order in which that was found
}

// ending is a list that holds only for states before a version.
type ending struct {
	list *keptList
	at   graph.Version
}

// asked is a question for a list.
type asked struct {
	schema   *walk.Schema
	subjects bool             // who, and not what
	end      relation.Subject // the object or the subject that is given
	typ, rel string           // of the other end
	name     string           // of the permission
}

// keptList is a list with its proof.
type keptList struct {
	asked
	listed   *relation.Listed
	everyone bool
	place    *weighted.Place[*keptList] // nil when it is not kept
	ended    bool                       // it is among those that have

	mu    sync.Mutex
	proof walk.Proof
}

func newLists() *lists {
	l := &lists{least: leastKept, kept: make(map[asked][]*keptList)}
	l.recent = weighted.New(mostKept, keptFor, l.gone)
	return l
}

// find returns the answer to a question, if one is kept that is good for a state as of an
// instant.
func (l *lists) find(q asked, s *graph.Snapshot, now time.Time) *keptList {
	l.mu.Lock()
	l.forget(s.Oldest())
	candidates := l.kept[q] // gone makes another slice
	l.mu.Unlock()
	for _, k := range slices.Backward(candidates) { // most questions are about the newest state
		good, ended := k.holds(s, now)
		if good {
			l.use(k)
			return k
		}
		if ended {
			l.end(k, s.Version())
		}
	}
	return nil
}

// holds reports whether the list is good for a state as of an instant and, if it is not, whether
// that was found just now to be so for all states from this one on.
func (k *keptList) holds(s *graph.Snapshot, now time.Time) (good, ended bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, _ := k.proof.Ended()
	good = k.proof.Holds(s, now)
	after, _ := k.proof.Ended()
	return good, after != before
}

// end notes that a list holds only for states before a version.
func (l *lists) end(k *keptList, at graph.Version) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.place != nil && !k.ended {
		k.ended = true
		l.ended = append(l.ended, ending{k, at})
	}
}

// forget lets the lists go that hold only for states before the oldest one which can still be
// asked about. The caller holds the lock.
func (l *lists) forget(oldest graph.Version) {
	for len(l.ended) > 0 {
		first := l.ended[0]
		if first.at != oldest && !first.at.Before(oldest) {
			return
		}
		l.recent.Drop(first.list.place)
	}
}

func (l *lists) use(k *keptList) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent.Use(k.place)
}

// keep keeps an answer, if that is worth while, and lets others go for it.
func (l *lists) keep(k *keptList) {
	if k.proof.Size() < l.least {
		return
	}
	ids := 0
	for _, id := range k.listed.IDs() {
		ids += len(id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.place = l.recent.Put(k, k.proof.Size()+k.listed.Len()+ids/objectSize); k.place != nil {
		k.listed.Share()
		l.kept[k.asked] = append(l.kept[k.asked], k)
	}
}

// gone forgets a list that is on the shelf no longer. The caller holds the lock.
func (l *lists) gone(k *keptList) {
	k.place = nil
	if k.ended {
		l.ended = slices.DeleteFunc(l.ended, func(e ending) bool { return e.list == k })
	}
	rest := slices.DeleteFunc(slices.Clone(l.kept[k.asked]), func(other *keptList) bool { return other == k })
	if len(rest) == 0 {
		delete(l.kept, k.asked)
		return
	}
	l.kept[k.asked] = rest
}
