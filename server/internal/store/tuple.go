package store

import (
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// hashOf returns the hash by which a tuple's row is found: that of its ends, whatever its
// payload.
func hashOf(t *graph.Tuple) int64 {
	ends := graph.Tuple{Relationship: t.Relationship}
	ends.Expires = time.Time{}
	return int64(graph.Sum(&ends))
}
