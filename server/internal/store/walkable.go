package store

import (
	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// Walkable returns the snapshot of a revision and its schema, one value for as long as the
// schema stays the same. ok is false for what is no revision of the graph that memory has. A
// moment of the past for which Past has made the state ready is one of the graph that this
// state lies in: a graph of its own, with a schema of its own, when it was loaded from the
// file. Numbers of one graph mean nothing in another.
func (s *Store) Walkable(r datastore.Revision) (snapshot *graph.Snapshot, schema *datastore.ReadOnlyStoredSchema, ok bool) {
	if s.running() != nil {
		return nil, nil, false
	}
	if m, past := r.(moment); past {
		state, ok := s.past.find(uint64(m.revision))
		if !ok {
			return nil, nil, false
		}
		e, ok := state.catalog.find(kindSchema, "")
		return state.snapshot, e.schema, ok
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
