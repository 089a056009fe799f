package graph

import (
	"cmp"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// change is what one transaction did to one tuple.
type change struct {
	resource, subject Node
	rel, kind         Rel
	gone              bool     // the tuple is not there after the transaction
	was               bool     // the tuple was there before it
	payload           *Payload // after it
	old               *Payload // before it
}

func compareChanges(a, b *change) int {
	return cmp.Or(
		cmp.Compare(a.resource, b.resource),
		cmp.Compare(a.subject, b.subject),
		cmp.Compare(a.rel, b.rel),
		cmp.Compare(a.kind, b.kind),
	)
}

// fold leaves one change per tuple: the last, which is what became of it. A tuple that the
// transaction made and removed again leaves none. The order of the first changes stays.
func fold(changes []change) []change {
	if distinct(changes) {
		return keep(changes)
	}
	byTuple := make([]int, len(changes))
	for i := range byTuple {
		byTuple[i] = i
	}
	slices.SortStableFunc(byTuple, func(i, j int) int { return compareChanges(&changes[i], &changes[j]) })
	repeated := make([]bool, len(changes))
	for i := 1; i < len(byTuple); i++ {
		j := i
		first := byTuple[i-1]
		for ; j < len(byTuple) && compareChanges(&changes[first], &changes[byTuple[j]]) == 0; j++ {
			last := changes[byTuple[j]]
			last.was, last.old = changes[first].was, changes[first].old
			changes[first] = last
			repeated[byTuple[j]] = true
		}
		i = max(i, j)
	}
	folded := changes[:0]
	for i, c := range changes {
		if !repeated[i] {
			folded = append(folded, c)
		}
	}
	return keep(folded)
}

// distinct reports that no tuple changed twice, as far as this can be told at once: a tuple
// can be new only once unless it was deleted, and deleted only once unless it was new.
func distinct(changes []change) bool {
	for _, c := range changes {
		if c.was != changes[0].was || c.gone != c.was {
			return len(changes) == 1
		}
	}
	return true
}

// keep drops what changed nothing and returns what is left in a slice of its size.
func keep(changes []change) []change {
	changes = slices.DeleteFunc(changes, func(c change) bool { return c.gone && !c.was })
	switch len(changes) {
	case 0:
		return nil
	case cap(changes):
		return changes
	}
	return slices.Clone(changes)
}

// Update is one change of a tuple: a relation.Touch with what the tuple now is, or a
// relation.Delete with what it was.
type Update struct {
	Op    relation.Op
	Tuple Tuple
}

// Commit is one published revision in the log.
type Commit struct {
	revision uint64
	at       time.Time
	sum      uint64
	dict     *dictionary
	words    *vocabulary
	nodes    uint32
	end      uint64
	changes  []change
	latest   time.Time                // of its time and those before it: clocks may be set back
	weight   int                      // of it and all before it
	snapshot atomic.Pointer[Snapshot] // while it is recent, or made again
}

// Revision returns the revision.
func (c *Commit) Revision() uint64 { return c.revision }

// At returns the time that the revision was sealed with.
func (c *Commit) At() time.Time { return c.at }

// Sum returns the checksum of all tuples at the revision.
func (c *Commit) Sum() uint64 { return c.sum }

// Len returns how many tuples the revision changed. Touching a tuple with what it already
// is does not count.
func (c *Commit) Len() int { return len(c.changes) }

// Updates yields the changes, one per tuple.
func (c *Commit) Updates() iter.Seq[Update] {
	return func(yield func(Update) bool) {
		s := state{dict: c.dict, words: c.words}
		for i := range c.changes {
			if !yield(s.update(&c.changes[i])) {
				return
			}
		}
	}
}

// Changes yields what the transaction has changed so far, one update per tuple, and
// whether the tuple was there before the transaction. The transaction must not be changed
// meanwhile.
func (tx *Tx) Changes() iter.Seq2[Update, bool] {
	tx.changes = fold(tx.changes)
	return func(yield func(Update, bool) bool) {
		for i := range tx.changes {
			if c := &tx.changes[i]; !yield(tx.update(c), c.was) {
				return
			}
		}
	}
}

// update returns a change by names.
func (s *state) update(c *change) Update {
	if c.gone {
		return Update{relation.Delete, s.tuple(c.resource, c.rel, c.subject, c.kind, c.old)}
	}
	return Update{relation.Touch, s.tuple(c.resource, c.rel, c.subject, c.kind, c.payload)}
}
