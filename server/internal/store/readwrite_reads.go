package store

import (
	"context"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
)

// What a transaction reads, it reads as it is at that moment.

// QueryRelationships yields what a filter selects.
func (w *readWrite) QueryRelationships(ctx context.Context, f datastore.RelationshipsFilter, opts ...options.QueryOptionsOption) (datastore.RelationshipIterator, error) {
	return w.reader().QueryRelationships(ctx, f, opts...)
}

// ReverseQueryRelationships yields what subjects are subjects of.
func (w *readWrite) ReverseQueryRelationships(ctx context.Context, f datastore.SubjectsFilter, opts ...options.ReverseQueryOptionsOption) (datastore.RelationshipIterator, error) {
	return w.reader().ReverseQueryRelationships(ctx, f, opts...)
}

// ReadStoredSchema returns the schema.
func (w *readWrite) ReadStoredSchema(ctx context.Context) (*datastore.ReadOnlyStoredSchema, error) {
	return w.definitionsReader().ReadStoredSchema(ctx)
}

// CountRelationships counts what a counter selects.
func (w *readWrite) CountRelationships(ctx context.Context, name string) (int, error) {
	return w.reader().CountRelationships(ctx, name)
}

// LookupCounters returns all counters.
func (w *readWrite) LookupCounters(ctx context.Context) ([]datastore.RelationshipCounter, error) {
	return w.definitionsReader().LookupCounters(ctx)
}

// LegacyReadNamespaceByName returns one object definition.
func (w *readWrite) LegacyReadNamespaceByName(ctx context.Context, name string) (*core.NamespaceDefinition, datastore.Revision, error) {
	return w.definitionsReader().LegacyReadNamespaceByName(ctx, name)
}

// LegacyListAllNamespaces returns all object definitions.
func (w *readWrite) LegacyListAllNamespaces(ctx context.Context) ([]datastore.RevisionedNamespace, error) {
	return w.definitionsReader().LegacyListAllNamespaces(ctx)
}

// LegacyLookupNamespacesWithNames returns those of the object definitions that there are.
func (w *readWrite) LegacyLookupNamespacesWithNames(ctx context.Context, names []string) ([]datastore.RevisionedNamespace, error) {
	return w.definitionsReader().LegacyLookupNamespacesWithNames(ctx, names)
}

// LegacyReadCaveatByName returns one caveat.
func (w *readWrite) LegacyReadCaveatByName(ctx context.Context, name string) (*core.CaveatDefinition, datastore.Revision, error) {
	return w.definitionsReader().LegacyReadCaveatByName(ctx, name)
}

// LegacyListAllCaveats returns all caveats.
func (w *readWrite) LegacyListAllCaveats(ctx context.Context) ([]datastore.RevisionedCaveat, error) {
	return w.definitionsReader().LegacyListAllCaveats(ctx)
}

// LegacyLookupCaveatsWithNames returns those of the caveats that there are.
func (w *readWrite) LegacyLookupCaveatsWithNames(ctx context.Context, names []string) ([]datastore.RevisionedCaveat, error) {
	return w.definitionsReader().LegacyLookupCaveatsWithNames(ctx, names)
}

// definitionsReader reads definitions only: a view of the graph would make the next write
// to it cost more.
func (w *readWrite) definitionsReader() *reader {
	if w.tx.ended {
		return &reader{err: errEnded}
	}
	return &reader{catalog: w.tx.catalog}
}
