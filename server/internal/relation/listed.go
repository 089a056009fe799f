package relation

import (
	"slices"
	"sync"
)

// Listed is the ids that a list found, each once. It never changes; several questions with
// the same answer may share one, so that what was made of it can be used again.
type Listed struct {
	ids    []string
	order  sync.Once
	sorted []string
	shared bool
}

// NewListed returns a list of ids, which must not be changed afterwards.
func NewListed(ids []string) *Listed { return &Listed{ids: ids} }

// Share says that who asks the same again while the answer is the same is given this value
// again. It comes before anybody is given it.
func (l *Listed) Share() { l.shared = true }

// Shared reports whether the value is given again. What is made of one that is not is of no
// use to anybody else.
func (l *Listed) Shared() bool { return l.shared }

// Len returns how many ids there are.
func (l *Listed) Len() int { return len(l.ids) }

// IDs returns the ids in no order. They must not be changed.
func (l *Listed) IDs() []string { return l.ids }

// Sorted returns the ids in the order of their bytes. They must not be changed.
func (l *Listed) Sorted() []string {
	l.order.Do(func() {
		l.sorted = slices.Clone(l.ids)
		slices.Sort(l.sorted)
	})
	return l.sorted
}
