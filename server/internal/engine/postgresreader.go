package engine

import (
	"context"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/tuple"
)

// SnapshotReader returns what reads at a revision.
func (s *postgresStore) SnapshotReader(r datastore.Revision) datastore.Reader {
	return reachedReader{s.Datastore.SnapshotReader(r)}
}

// CheckRevision reports whether a revision can be read.
func (s *postgresStore) CheckRevision(ctx context.Context, r datastore.Revision) error {
	return reached(s.Datastore.CheckRevision(ctx, r))
}

// reachedReader is a reader whose errors say when the database was lost on the way. By name
// only schemas of old are read, which is no part of this.
type reachedReader struct{ datastore.Reader }

// ReadStoredSchema reads the schema.
func (r reachedReader) ReadStoredSchema(ctx context.Context) (*datastore.ReadOnlyStoredSchema, error) {
	schema, err := r.Reader.ReadStoredSchema(ctx)
	return schema, reached(err)
}

// QueryRelationships reads relationships by their resources.
func (r reachedReader) QueryRelationships(ctx context.Context, filter datastore.RelationshipsFilter, opts ...options.QueryOptionsOption) (datastore.RelationshipIterator, error) {
	found, err := r.Reader.QueryRelationships(ctx, filter, opts...)
	return reachedAll(found), reached(err)
}

// ReverseQueryRelationships reads relationships by their subjects.
func (r reachedReader) ReverseQueryRelationships(ctx context.Context, filter datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	found, err := r.Reader.ReverseQueryRelationships(ctx, filter, opts...)
	return reachedAll(found), reached(err)
}

// CountRelationships counts the relationships of a counter.
func (r reachedReader) CountRelationships(ctx context.Context, name string) (int, error) {
	n, err := r.Reader.CountRelationships(ctx, name)
	return n, reached(err)
}

func reachedAll(found datastore.RelationshipIterator) datastore.RelationshipIterator {
	if found == nil {
		return nil
	}
	return func(yield func(tuple.Relationship, error) bool) {
		for r, err := range found {
			if !yield(r, reached(err)) {
				return
			}
		}
	}
}
