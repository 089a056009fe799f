package engine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	caveattypes "github.com/authzed/spicedb/pkg/caveats/types"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schema"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/schemadsl/generator"
	"github.com/authzed/spicedb/pkg/schemadsl/input"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	impl "github.com/authzed/spicedb/pkg/proto/impl/v1"
)

// Schema is a compiled schema.
type Schema struct {
	ordered []compiler.SchemaDefinition
	objects map[string]*core.NamespaceDefinition
	caveats map[string]*core.CaveatDefinition
}

// ParseSchema compiles a schema text as a write of the schema does.
func ParseSchema(text string) (*Schema, error) {
	compiled, err := compiler.Compile(
		compiler.InputSchema{Source: input.Source("schema"), SchemaString: text},
		compiler.AllowUnprefixedObjectType(),
		compiler.CaveatTypeSet(caveattypes.Default.TypeSet),
		compiler.DisallowImportFlag(),
	)
	if err != nil {
		return nil, err
	}
	return newSchema(compiled.OrderedDefinitions), nil
}

func newSchema(definitions []compiler.SchemaDefinition) *Schema {
	s := &Schema{
		ordered: definitions,
		objects: make(map[string]*core.NamespaceDefinition),
		caveats: make(map[string]*core.CaveatDefinition),
	}
	for _, d := range definitions {
		switch d := d.(type) {
		case *core.NamespaceDefinition:
			s.objects[d.GetName()] = d
		case *core.CaveatDefinition:
			s.caveats[d.GetName()] = d
		}
	}
	return s
}

// Names returns the names of all definitions and caveats, in the order of the text.
func (s *Schema) Names() []string {
	names := make([]string, len(s.ordered))
	for i, d := range s.ordered {
		names[i] = d.GetName()
	}
	return names
}

func (s *Schema) has(name string) bool {
	return s.objects[name] != nil || s.caveats[name] != nil
}

// Compare returns the names of the definitions and caveats of wanted that s lacks and
// those that s has with another meaning. Layout, comments, the order of definitions, of
// relations and of the types of a relation mean nothing; the order of the terms of an
// expression does, as SpiceDB evaluates it in that order.
func (s *Schema) Compare(wanted *Schema) (lacking, changed []string) {
	for _, d := range wanted.ordered {
		name := d.GetName()
		switch {
		case !s.has(name):
			lacking = append(lacking, name)
		case !s.sameObject(wanted.objects[name]) || !s.sameCaveat(wanted.caveats[name]):
			changed = append(changed, name)
		}
	}
	return lacking, changed
}

func (s *Schema) sameObject(d *core.NamespaceDefinition) bool {
	if d == nil {
		return true
	}
	mine := s.objects[d.GetName()]
	return mine != nil && proto.Equal(canonical(mine), canonical(d))
}

func (s *Schema) sameCaveat(d *core.CaveatDefinition) bool {
	if d == nil {
		return true
	}
	mine := s.caveats[d.GetName()]
	if mine == nil {
		return false
	}
	// A compiled expression carries the positions of its terms, so the texts are compared.
	a, errA := caveatText(mine)
	b, errB := caveatText(d)
	return errA == nil && errB == nil && a == b
}

func caveatText(d *core.CaveatDefinition) (string, error) {
	d = proto.CloneOf(d)
	d.Metadata = nil
	text, whole, err := generator.GenerateCaveatSource(d, caveattypes.Default.TypeSet)
	if err == nil && !whole {
		err = fmt.Errorf("caveat %q has no text", d.GetName())
	}
	return text, err
}

// canonical returns d without what has no meaning. Whatever a later SpiceDB adds to a
// definition counts as meaning until it is taken out here.
func canonical(d *core.NamespaceDefinition) *core.NamespaceDefinition {
	d = proto.CloneOf(d)
	dropPositions(d.ProtoReflect())
	d.Metadata = withoutComments(d.GetMetadata())
	slices.SortFunc(d.Relation, func(a, b *core.Relation) int { return strings.Compare(a.GetName(), b.GetName()) })
	for _, r := range d.GetRelation() {
		r.Metadata = withoutComments(r.GetMetadata())
		slices.SortFunc(r.GetTypeInformation().GetAllowedDirectRelations(), func(a, b *core.AllowedRelation) int {
			return strings.Compare(schema.SourceForAllowedRelation(a), schema.SourceForAllowedRelation(b))
		})
	}
	return d
}

func withoutComments(m *core.Metadata) *core.Metadata {
	var kept []*anypb.Any
	for _, a := range m.GetMetadataMessage() {
		if !a.MessageIs(&impl.DocComment{}) {
			kept = append(kept, a)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	slices.SortFunc(kept, func(a, b *anypb.Any) int { return bytes.Compare(a.GetValue(), b.GetValue()) })
	return &core.Metadata{MetadataMessage: kept}
}

// dropPositions clears every source position in m, at any depth.
func dropPositions(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil || f.IsMap():
		case f.Message().FullName() == "core.v1.SourcePosition":
			m.Clear(f)
		case f.IsList():
			for i := range v.List().Len() {
				dropPositions(v.List().Get(i).Message())
			}
		default:
			dropPositions(v.Message())
		}
		return true
	})
}
