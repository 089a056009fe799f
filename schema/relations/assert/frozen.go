package assert

import (
	"context"

	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
)

// frozen is a data layer whose schema does not change any more. SpiceDB's development
// store decodes the definition of party anew at every step of every check, which with
// Behalf's schema is nearly all the time that judging a file takes.
type frozen struct {
	datalayer.DataLayer
	schema datalayer.SchemaReader
}

// freeze reads the schema at the revision, once.
func freeze(ctx context.Context, dl datalayer.DataLayer, at datastore.Revision) (*frozen, error) {
	schema, err := dl.SnapshotReader(at, datalayer.NoSchemaHashInDevelopment).ReadSchema(ctx)
	if err != nil {
		return nil, err
	}
	all, err := schema.ListAllTypeDefinitions(ctx)
	if err != nil {
		return nil, err
	}
	known := &knownSchema{SchemaReader: schema, byName: map[string]datastore.RevisionedTypeDefinition{}}
	for _, d := range all {
		known.byName[d.Definition.GetName()] = d
	}
	return &frozen{DataLayer: dl, schema: known}, nil
}

// SnapshotReader returns a reader of relationships that has the frozen schema.
func (f *frozen) SnapshotReader(at datastore.Revision, hash datalayer.SchemaHash) datalayer.RevisionedReader {
	return frozenReader{f.DataLayer.SnapshotReader(at, hash), f.schema}
}

type frozenReader struct {
	datalayer.RevisionedReader
	schema datalayer.SchemaReader
}

// ReadSchema returns the frozen schema.
func (r frozenReader) ReadSchema(context.Context) (datalayer.SchemaReader, error) {
	return r.schema, nil
}

// knownSchema answers from memory what checks ask for.
type knownSchema struct {
	datalayer.SchemaReader
	byName map[string]datastore.RevisionedTypeDefinition
}

// LookupTypeDefByName returns the definition with the name.
func (s *knownSchema) LookupTypeDefByName(_ context.Context, name string) (datastore.RevisionedTypeDefinition, bool, error) {
	d, ok := s.byName[name]
	return d, ok, nil
}

// LookupTypeDefinitionsByNames returns those of the definitions that exist.
func (s *knownSchema) LookupTypeDefinitionsByNames(_ context.Context, names []string) (map[string]datastore.TypeDefinition, error) {
	found := map[string]datastore.TypeDefinition{}
	for _, name := range names {
		if d, ok := s.byName[name]; ok {
			found[name] = d.Definition
		}
	}
	return found, nil
}
