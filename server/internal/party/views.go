package party

import (
	"slices"
	"sync"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/weighted"
)

// The bounds of what is kept of lists in their order.
const (
	leastKept = 256             // shorter lists are made as fast as they are found
	mostKept  = 1 << 19         // entries of all lists, at some 100 bytes each
	keptFor   = 2 * time.Minute // that nobody asks for
)

// view is a list as it is shown. It rests on the ids that were found and on records.
type view struct {
	form
	flat   *ordered[listing]
	groups *ordered[*group] // of a grouped list, instead of flat
	total  int

	begun moment // when it was made
	place *weighted.Place[*view]

	mu    sync.Mutex // guards what follows
	seen  uint64     // the edition of the directory that it is known to be of
	rests []ID       // whose records it rests on, sorted; made when first needed
	ids   []listing
	above []ID // main units, and those on the way to them
}

// form is what makes two views the same.
type form struct {
	found  *relation.Listed
	query  viewQuery
	placed moment // positions are those of this moment; 0 for those of when the view was made
}

// viewQuery is what of a query decides which entries there are in which order.
type viewQuery struct {
	order           Order
	group, standing bool
	search          string
	users           bool // of representatives
}

// views keeps long lists in their order, for their further pages.
type views struct {
	mu     sync.Mutex
	kept   map[form]*view
	recent *weighted.Shelf[*view]
}

func newViews() *views {
	v := &views{kept: make(map[form]*view)}
	v.recent = weighted.New(mostKept, keptFor, func(k *view) { delete(v.kept, k.form) })
	return v
}

// find returns a view that is kept.
func (v *views) find(f form) *view {
	v.mu.Lock()
	defer v.mu.Unlock()
	k := v.kept[f]
	if k != nil {
		v.recent.Use(k.place)
	}
	return k
}

// keep keeps a view, if that is worth while, and lets others go for it.
func (v *views) keep(k *view) {
	weight := k.found.Len()
	if weight < leastKept || !k.found.Shared() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if old := v.kept[k.form]; old != nil {
		v.recent.Drop(old.place)
	}
	if k.place = v.recent.Put(k, weight); k.place != nil {
		v.kept[k.form] = k
	}
}

// restsOn reports whether a change of a party's record can change the view. The caller holds
// its lock.
func (k *view) restsOn(id ID) bool {
	if k.rests == nil {
		k.rests = slices.Clone(k.above)
		for i := range k.ids {
			k.rests = append(k.rests, k.ids[i].id)
		}
		slices.Sort(k.rests)
		k.ids, k.above = nil, nil
	}
	_, found := slices.BinarySearch(k.rests, id)
	return found
}
