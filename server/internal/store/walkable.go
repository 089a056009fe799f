package store

import (
	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// Walkable returns the snapshot of a revision and its schema, one value for as long as the
// schema stays the same. ok is false for what is no revision of the graph that memory has,
// a moment of the past among them: a state that was loaded from the file lies in a graph of
// its own, whose numbers mean nothing in this one.
func (s *Store) Walkable(r datastore.Revision) (snapshot *graph.Snapshot, schema *datastore.ReadOnlyStoredSchema, ok bool) {
	if s.running() != nil {
		return nil, nil, false
	}
	snapshot, err := s.snapshot(r)
	if err != nil {
		return nil, nil, false
	}
	c, ok := s.definitions(snapshot.Revision())
	if !ok {
		return nil, nil, false
	}
	e, ok := c.find(kindSchema, "")
	return snapshot, e.schema, ok
}
