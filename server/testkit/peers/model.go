package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/schemadsl/input"
	"github.com/authzed/spicedb/pkg/tuple"
	openfgav1 "github.com/openfga/api/proto/openfga/v1"
)

// name is a relation or permission of a type.
type name struct{ typ, relation string }

// model is what some permissions of a schema need, in OpenFGA's terms.
type model struct {
	schema map[name]*core.Relation
	types  map[string]*openfgav1.TypeDefinition
	known  map[name]bool // whether it can have anybody; true while that is looked at
}

// asked is the type whose permissions are compared.
const asked = "party"

// translate returns the model of some permissions of a party.
func translate(schema string, permissions []string) (*model, error) {
	compiled, err := compiler.Compile(compiler.InputSchema{Source: input.Source("schema"), SchemaString: schema}, compiler.AllowUnprefixedObjectType())
	if err != nil {
		return nil, err
	}
	m := &model{schema: map[name]*core.Relation{}, types: map[string]*openfgav1.TypeDefinition{}, known: map[name]bool{}}
	for _, d := range compiled.ObjectDefinitions {
		for _, r := range d.GetRelation() {
			m.schema[name{d.GetName(), r.GetName()}] = r
		}
	}
	for _, p := range permissions {
		n := name{asked, p}
		if named(p) != p {
			return nil, fmt.Errorf("OpenFGA has another name for %s, so that it cannot be asked for", p)
		}
		somebody, err := m.need(n)
		if err != nil {
			return nil, err
		}
		if !somebody {
			return nil, fmt.Errorf("%s of %s is of nobody, or there is none", p, asked)
		}
	}
	return m, nil
}

// definitions are the types of the model in the order of their names.
func (m *model) definitions() []*openfgav1.TypeDefinition {
	var all []*openfgav1.TypeDefinition
	for _, d := range m.types {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *openfgav1.TypeDefinition) int { return strings.Compare(a.GetType(), b.GetType()) })
	return all
}

// need takes a relation or permission into the model, with all that it needs, and reports
// whether it can have anybody.
func (m *model) need(n name) (somebody bool, err error) {
	if somebody, ok := m.known[n]; ok {
		return somebody, nil
	}
	r, ok := m.schema[n]
	if !ok {
		return false, nil
	}
	m.known[n] = true
	if r.GetUsersetRewrite() == nil {
		return true, m.needRelation(n, r)
	}
	rewrite, err := m.rewrite(n.typ, r.GetUsersetRewrite())
	if err != nil {
		return false, fmt.Errorf("%s of %s: %w", n.relation, n.typ, err)
	}
	m.known[n] = rewrite != nil
	if rewrite != nil {
		m.define(n, rewrite, nil)
	}
	return rewrite != nil, nil
}

// needRelation takes in a relation and the types of its subjects.
func (m *model) needRelation(n name, r *core.Relation) error {
	var subjects []*openfgav1.RelationReference
	seen := map[string]bool{} // with and without expiry
	for _, allowed := range r.GetTypeInformation().GetAllowedDirectRelations() {
		if allowed.GetRequiredCaveat() != nil {
			return fmt.Errorf("%s of %s has a caveat", n.relation, n.typ)
		}
		m.typeOf(allowed.GetNamespace())
		s := &openfgav1.RelationReference{Type: allowed.GetNamespace()}
		switch set := allowed.GetRelation(); {
		case allowed.GetPublicWildcard() != nil:
			s.RelationOrWildcard = &openfgav1.RelationReference_Wildcard{Wildcard: &openfgav1.Wildcard{}}
		case set != "" && set != tuple.Ellipsis:
			s.RelationOrWildcard = &openfgav1.RelationReference_Relation{Relation: named(set)}
			if _, err := m.need(name{allowed.GetNamespace(), set}); err != nil {
				return err
			}
		}
		if key := fmt.Sprint(s.GetType(), "#", s.GetRelation(), s.GetWildcard() != nil); !seen[key] {
			seen[key] = true
			subjects = append(subjects, s)
		}
	}
	m.define(n, &openfgav1.Userset{Userset: &openfgav1.Userset_This{This: &openfgav1.DirectUserset{}}}, subjects)
	return nil
}

func (m *model) typeOf(typ string) *openfgav1.TypeDefinition {
	d, ok := m.types[typ]
	if !ok {
		d = &openfgav1.TypeDefinition{
			Type: typ, Relations: map[string]*openfgav1.Userset{}, Metadata: &openfgav1.Metadata{Relations: map[string]*openfgav1.RelationMetadata{}},
		}
		m.types[typ] = d
	}
	return d
}

func (m *model) define(n name, rewrite *openfgav1.Userset, subjects []*openfgav1.RelationReference) {
	d := m.typeOf(n.typ)
	d.Relations[named(n.relation)] = rewrite
	d.Metadata.Relations[named(n.relation)] = &openfgav1.RelationMetadata{DirectlyRelatedUserTypes: subjects}
}

// tuple returns a relationship in OpenFGA's terms, and nil for one that the model does not
// know, or that has expired.
func (m *model) tuple(r *v1.Relationship) *openfgav1.TupleKey {
	object, subject := r.GetResource(), r.GetSubject()
	d, ok := m.types[object.GetObjectType()]
	if !ok || d.GetRelations()[named(r.GetRelation())].GetThis() == nil {
		return nil
	}
	if expires := r.GetOptionalExpiresAt(); expires != nil && !expires.AsTime().After(time.Now()) {
		return nil
	}
	user := subject.GetObject().GetObjectType() + ":" + subject.GetObject().GetObjectId()
	if set := subject.GetOptionalRelation(); set != "" {
		user += "#" + named(set)
	}
	return &openfgav1.TupleKey{
		User: user, Relation: named(r.GetRelation()), Object: object.GetObjectType() + ":" + object.GetObjectId(),
	}
}

// named is what a relation is called in OpenFGA: the same, unless OpenFGA takes the name
// for a word of its own or for too long.
func named(relation string) string {
	const longest = 50
	switch {
	case relation == "self" || relation == "this":
		return relation + "_"
	case len(relation) <= longest:
		return relation
	}
	sum := sha256.Sum256([]byte(relation))
	return relation[:longest-9] + "_" + hex.EncodeToString(sum[:4])
}
