package store

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
)

// What SpiceDB keeps one by one while its schema is not kept as one text. This server's is;
// SpiceDB's suites, and a move from the one to the other, need both.

// LegacyReadNamespaceByName returns one object definition.
func (r *reader) LegacyReadNamespaceByName(_ context.Context, name string) (*core.NamespaceDefinition, datastore.Revision, error) {
	if r.err != nil {
		return nil, datastore.NoRevision, r.err
	}
	e, ok := r.catalog.find(kindObject, name)
	if !ok {
		return nil, datastore.NoRevision, datastore.NewNamespaceNotFoundErr(name)
	}
	return e.object.CloneVT(), revision(e.written), nil
}

// LegacyListAllNamespaces returns all object definitions, by name.
func (r *reader) LegacyListAllNamespaces(context.Context) ([]datastore.RevisionedNamespace, error) {
	if r.err != nil {
		return nil, r.err
	}
	return revisioned(r.catalog.of(kindObject), objectOf), nil
}

// LegacyLookupNamespacesWithNames returns those of the object definitions that there are.
func (r *reader) LegacyLookupNamespacesWithNames(_ context.Context, names []string) ([]datastore.RevisionedNamespace, error) {
	if r.err != nil {
		return nil, r.err
	}
	return revisioned(r.catalog.named(kindObject, names), objectOf), nil
}

// LegacyReadCaveatByName returns one caveat.
func (r *reader) LegacyReadCaveatByName(_ context.Context, name string) (*core.CaveatDefinition, datastore.Revision, error) {
	if r.err != nil {
		return nil, datastore.NoRevision, r.err
	}
	e, ok := r.catalog.find(kindCaveat, name)
	if !ok {
		return nil, datastore.NoRevision, datastore.NewCaveatNameNotFoundErr(name)
	}
	return e.caveat.CloneVT(), revision(e.written), nil
}

// LegacyListAllCaveats returns all caveats, by name.
func (r *reader) LegacyListAllCaveats(context.Context) ([]datastore.RevisionedCaveat, error) {
	if r.err != nil {
		return nil, r.err
	}
	return revisioned(r.catalog.of(kindCaveat), caveatOf), nil
}

// LegacyLookupCaveatsWithNames returns those of the caveats that there are.
func (r *reader) LegacyLookupCaveatsWithNames(_ context.Context, names []string) ([]datastore.RevisionedCaveat, error) {
	if r.err != nil {
		return nil, r.err
	}
	return revisioned(r.catalog.named(kindCaveat, names), caveatOf), nil
}

func objectOf(e entry) *core.NamespaceDefinition { return e.object.CloneVT() }

func caveatOf(e entry) *core.CaveatDefinition { return e.caveat.CloneVT() }

// revisioned returns definitions with the revisions that wrote them.
func revisioned[T datastore.SchemaDefinition](entries []entry, of func(entry) T) (all []datastore.RevisionedDefinition[T]) {
	for _, e := range entries {
		all = append(all, datastore.RevisionedDefinition[T]{Definition: of(e), LastWrittenRevision: revision(e.written)})
	}
	return all
}

// LegacyWriteNamespaces writes object definitions.
func (w *readWrite) LegacyWriteNamespaces(_ context.Context, objects ...*core.NamespaceDefinition) error {
	c, err := w.definitions()
	if err != nil {
		return err
	}
	for _, o := range objects {
		c.put(entry{kind: kindObject, name: o.GetName(), written: w.tx.revision, object: o.CloneVT()})
	}
	return nil
}

// LegacyDeleteNamespaces removes object definitions, with their relationships if asked for.
func (w *readWrite) LegacyDeleteNamespaces(ctx context.Context, names []string, o datastore.DeleteNamespacesRelationshipsOption) error {
	if len(names) == 0 {
		return nil
	}
	c, err := w.definitions()
	if err != nil {
		return err
	}
	for _, name := range names {
		if !c.remove(kindObject, name) {
			return datastore.NewNamespaceNotFoundErr(name)
		}
		if o == datastore.DeleteNamespacesAndRelationships {
			if _, _, err := w.DeleteRelationships(ctx, &v1.RelationshipFilter{ResourceType: name}); err != nil {
				return fmt.Errorf("delete the relationships of %s: %w", name, err)
			}
		}
	}
	return nil
}

// LegacyWriteCaveats writes caveats, each once.
func (w *readWrite) LegacyWriteCaveats(_ context.Context, caveats []*core.CaveatDefinition) error {
	if len(caveats) == 0 {
		return nil
	}
	c, err := w.definitions()
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(caveats))
	for _, d := range caveats {
		if seen[d.GetName()] {
			return fmt.Errorf("caveat %s is there twice", d.GetName())
		}
		seen[d.GetName()] = true
		c.put(entry{kind: kindCaveat, name: d.GetName(), written: w.tx.revision, caveat: d.CloneVT()})
	}
	return nil
}

// LegacyDeleteCaveats removes those of the caveats that there are.
func (w *readWrite) LegacyDeleteCaveats(_ context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	c, err := w.definitions()
	if err != nil {
		return err
	}
	for _, name := range names {
		c.remove(kindCaveat, name)
	}
	return nil
}
