package replica

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/authzed/spicedb/pkg/datastore"
	implv1 "github.com/authzed/spicedb/pkg/proto/impl/v1"
)

// horizon says which transactions had ended at a moment: a snapshot, as Postgres calls it.
type horizon struct {
	low  uint64   // all before it have ended
	next uint64   // neither it nor any after it had ended
	open []uint64 // those between that had not, ascending
}

// parseHorizon reads a snapshot as Postgres prints it: xmin:xmax:xip,xip.
func parseHorizon(text string) (h horizon, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return h, fmt.Errorf("snapshot %q does not have three parts", text)
	}
	if h.low, err = strconv.ParseUint(parts[0], 10, 64); err != nil {
		return h, fmt.Errorf("snapshot %q: %w", text, err)
	}
	if h.next, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return h, fmt.Errorf("snapshot %q: %w", text, err)
	}
	if parts[2] == "" {
		return h, nil
	}
	for _, part := range strings.Split(parts[2], ",") {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return h, fmt.Errorf("snapshot %q: %w", text, err)
		}
		h.open = append(h.open, n)
	}
	slices.Sort(h.open)
	return h, nil
}

// horizonOf returns the horizon of a revision of SpiceDB's Postgres engine. ok is false for
// any other.
func horizonOf(r datastore.Revision) (h horizon, ok bool) {
	data, err := base64.StdEncoding.DecodeString(r.String())
	if err != nil {
		return h, false
	}
	var p implv1.PostgresRevision
	if err := p.UnmarshalVT(data); err != nil || p.GetRelativeXmax() < 0 {
		return h, false
	}
	h.low = p.GetXmin()
	h.next = h.low + uint64(p.GetRelativeXmax())
	for _, after := range p.GetRelativeXips() {
		if after < 0 {
			return h, false
		}
		h.open = append(h.open, h.low+uint64(after))
	}
	slices.Sort(h.open)
	return h, true
}

// revision returns the text from which SpiceDB's Postgres engine reads the revision.
func (h horizon) revision() (string, error) {
	if h.next > math.MaxInt64 || h.low > h.next {
		return "", fmt.Errorf("snapshot %d:%d is none of Postgres'", h.low, h.next)
	}
	p := implv1.PostgresRevision{Xmin: h.low, RelativeXmax: int64(h.next - h.low)}
	for _, n := range h.open {
		p.RelativeXips = append(p.RelativeXips, int64(n)-int64(h.low))
	}
	data, err := p.MarshalVT()
	if err != nil {
		return "", fmt.Errorf("encode a revision: %w", err)
	}
	return base64.StdEncoding.EncodeToString(data), nil
}

// sees reports whether a transaction had ended.
func (h horizon) sees(transaction uint64) bool {
	if transaction >= h.next {
		return false
	}
	_, open := slices.BinarySearch(h.open, transaction)
	return !open
}

// within reports whether all transactions that had ended by h had ended by o too.
func (h horizon) within(o horizon) bool {
	if h.next > o.next {
		// What lies between must have been open at h for o to see as much.
		for n := o.next; n < h.next; n++ {
			if h.sees(n) {
				return false
			}
		}
	}
	for _, n := range o.open {
		if h.sees(n) {
			return false
		}
	}
	return true
}
