package graph

import (
	"iter"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Changes yields what the transaction has changed so far, one update per tuple, and
// whether the tuple was there before the transaction. The transaction must not be changed
// meanwhile.
func (tx *Tx) Changes() iter.Seq2[Update, bool] {
	tx.changes = fold(tx.changes)
	return func(yield func(Update, bool) bool) {
		for _, c := range tx.changes {
			u := Update{Op: relation.Touch, Tuple: tx.tuple(c.resource, c.rel, c.subject, c.kind, c.payload)}
			if c.gone {
				u.Op = relation.Delete
			}
			if !yield(u, c.was) {
				return
			}
		}
	}
}
