package store

import (
	"fmt"
	"strconv"

	"github.com/authzed/spicedb/pkg/datastore"
)

// revision is a number of a transaction.
type revision uint64

// String returns the decimal number.
func (r revision) String() string { return strconv.FormatUint(uint64(r), 10) }

// Equal reports whether other is the same revision.
func (r revision) Equal(other datastore.Revision) bool {
	o, ok := other.(revision)
	return ok && r == o
}

// GreaterThan reports whether r came after other. Every revision comes after none.
func (r revision) GreaterThan(other datastore.Revision) bool {
	o, ok := other.(revision)
	return ok && r > o || !ok && other == datastore.NoRevision
}

// LessThan reports whether r came before other.
func (r revision) LessThan(other datastore.Revision) bool {
	o, ok := other.(revision)
	return ok && r < o
}

// ByteSortable reports that the texts of revisions do not sort as the revisions do.
func (r revision) ByteSortable() bool { return false }

// parseRevision reads what revision.String wrote.
func parseRevision(text string) (revision, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, fmt.Errorf("%q is no revision", text)
	}
	return revision(n), nil
}
