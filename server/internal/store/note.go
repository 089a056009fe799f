package store

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
)

// note is what watchers learn of a revision beside its relationships.
type note struct {
	revision uint64
	metadata *structpb.Struct
	schema   *changed
}

// changed is what became of the schema. A definition that the whole schema and its own row
// both have is there once.
type changed struct {
	definitions []datastore.SchemaDefinition
	objects     []string // removed
	caveats     []string // removed
}

// schemaChange returns what became of the schema from one catalog to another, nil when
// nothing did.
func schemaChange(was, is *catalog) (*changed, error) {
	c := &changed{}
	seen := make(map[string]bool)
	object := func(was, is *core.NamespaceDefinition) {
		name := was.GetName() + is.GetName() // one of them, or twice the same
		if was != nil {
			name = was.GetName()
		}
		switch key := "object " + name; {
		case seen[key] || was.EqualVT(is):
			return
		default:
			seen[key] = true
		}
		if is == nil {
			c.objects = append(c.objects, name)
			return
		}
		c.definitions = append(c.definitions, is)
	}
	caveat := func(was, is *core.CaveatDefinition) {
		name := is.GetName()
		if was != nil {
			name = was.GetName()
		}
		switch key := "caveat " + name; {
		case seen[key] || was.EqualVT(is):
			return
		default:
			seen[key] = true
		}
		if is == nil {
			c.caveats = append(c.caveats, name)
			return
		}
		c.definitions = append(c.definitions, is)
	}
	err := difference(was, is, func(was, is *entry) error {
		var k kind
		var none entry
		if was == nil {
			was, k = &none, is.kind
		} else if k = was.kind; is == nil {
			is = &none
		}
		switch k {
		case kindSchema:
			wholeChange(was.schema, is.schema, object, caveat)
		case kindObject:
			object(was.object, is.object)
		case kindCaveat:
			caveat(was.caveat, is.caveat)
		case kindCounter:
		}
		return nil
	})
	if err != nil || len(c.definitions)+len(c.objects)+len(c.caveats) == 0 {
		return nil, err
	}
	return c, nil
}

// wholeChange goes over the definitions of two whole schemas, either of which may be nil.
func wholeChange(was, is *datastore.ReadOnlyStoredSchema,
	object func(was, is *core.NamespaceDefinition), caveat func(was, is *core.CaveatDefinition),
) {
	pairs(whole(was).GetNamespaceDefinitions(), whole(is).GetNamespaceDefinitions(), object)
	pairs(whole(was).GetCaveatDefinitions(), whole(is).GetCaveatDefinitions(), caveat)
}

func whole(s *datastore.ReadOnlyStoredSchema) *core.StoredSchema_V1StoredSchema {
	if s == nil {
		return nil
	}
	return s.Get().GetV1()
}

// pairs calls f for every name that two maps have, in order, with the zero value where one
// has it not.
func pairs[T any](was, is map[string]T, f func(was, is T)) {
	var names []string
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		names = append(names, name)
	}
	for _, name := range distinct(names) {
		f(was[name], is[name])
	}
}

func encodeMetadata(m *structpb.Struct) ([]byte, error) {
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the metadata of a transaction: %w", err)
	}
	return text, nil
}

func decodeMetadata(text []byte) (*structpb.Struct, error) {
	if text == nil {
		return nil, nil
	}
	m := &structpb.Struct{}
	if err := proto.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("decode the metadata of a transaction: %w", err)
	}
	return m, nil
}
