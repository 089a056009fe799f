package store

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

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
	c, ok := compareRevisions(r, other)
	return ok && c > 0 || !ok && other == datastore.NoRevision
}

// LessThan reports whether r came before other.
func (r revision) LessThan(other datastore.Revision) bool {
	c, ok := compareRevisions(r, other)
	return ok && c < 0
}

// ByteSortable reports that the texts of revisions do not sort as the revisions do.
func (r revision) ByteSortable() bool { return false }

// moment is a revision together with the instant at which expiry is judged. That the two are
// one name keeps SpiceDB, which shares answers by the names of revisions, from giving an
// answer as of one instant to who asks as of another.
type moment struct {
	revision revision
	at       int64 // microseconds since 1970
}

// String returns revision@microseconds.
func (m moment) String() string { return m.revision.String() + "@" + strconv.FormatInt(m.at, 10) }

// Equal reports whether other is the same moment.
func (m moment) Equal(other datastore.Revision) bool {
	o, ok := other.(moment)
	return ok && m == o
}

// GreaterThan reports whether m came after other. Every moment comes after none.
func (m moment) GreaterThan(other datastore.Revision) bool {
	c, ok := compareRevisions(m, other)
	return ok && c > 0 || !ok && other == datastore.NoRevision
}

// LessThan reports whether m came before other.
func (m moment) LessThan(other datastore.Revision) bool {
	c, ok := compareRevisions(m, other)
	return ok && c < 0
}

// ByteSortable reports that the texts of moments do not sort as the moments do.
func (m moment) ByteSortable() bool { return false }

// Instant returns when expiry is judged.
func (m moment) Instant() time.Time { return time.UnixMicro(m.at).UTC() }

// Made returns the revision alone.
func (m moment) Made() datastore.Revision { return m.revision }

// numberOf returns the number of a revision or of a moment's.
func numberOf(r datastore.Revision) (n uint64, ok bool) {
	switch r := r.(type) {
	case revision:
		return uint64(r), true
	case moment:
		return uint64(r.revision), true
	}
	return 0, false
}

// compareRevisions orders revisions and moments. A moment of a revision comes before the
// revision itself, so that "at least as fresh as" a moment is never answered by the past.
func compareRevisions(a, b datastore.Revision) (order int, ok bool) {
	x, ok1 := numberOf(a)
	y, ok2 := numberOf(b)
	if !ok1 || !ok2 {
		return 0, false
	}
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(instantOf(a), instantOf(b))), true
}

// instantOf returns the instant of a moment, and for a revision one that is after all.
func instantOf(r datastore.Revision) int64 {
	if m, ok := r.(moment); ok {
		return m.at
	}
	return 1<<63 - 1
}

// parseRevision reads what String of a revision or a moment wrote.
func parseRevision(text string) (datastore.Revision, error) {
	number, instant, past := strings.Cut(text, "@")
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return nil, fmt.Errorf("%q is no revision", text)
	}
	var r datastore.Revision = revision(n)
	if past {
		at, err := strconv.ParseInt(instant, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no revision", text)
		}
		r = moment{revision(n), at}
	}
	if r.String() != text {
		return nil, fmt.Errorf("%q is no revision", text)
	}
	return r, nil
}
