package tuples

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Precision is that of an expiry: finer ones are cut, so that nothing outlives its time.
const Precision = time.Microsecond

// ToGraph returns a relationship of SpiceDB's as the graph keeps it.
func ToGraph(r *tuple.Relationship) (graph.Tuple, error) {
	t := graph.Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: r.Resource.ObjectType, ID: r.Resource.ObjectID},
		Relation: r.Resource.Relation,
		Subject: relation.Subject{
			Object:   relation.Object{Type: r.Subject.ObjectType, ID: r.Subject.ObjectID},
			Relation: plainRelation(r.Subject.Relation),
		},
	}}
	if r.OptionalExpiration != nil {
		t.Expires = r.OptionalExpiration.UTC().Truncate(Precision)
	}
	if c := r.OptionalCaveat; c != nil && c.CaveatName != "" {
		t.Caveat = c.CaveatName
		text, err := Context(c.Context)
		if err != nil {
			return t, fmt.Errorf("encode the context of caveat %s: %w", c.CaveatName, err)
		}
		t.Context = text
	}
	if r.OptionalIntegrity != nil {
		note, err := r.OptionalIntegrity.MarshalVT()
		if err != nil {
			return t, fmt.Errorf("encode the integrity of a relationship: %w", err)
		}
		t.Note = string(note)
	}
	return t, nil
}

// Context returns the context of a caveat as the graph keeps it: one text for each, so that
// writing it again changes nothing.
func Context(c *structpb.Struct) (string, error) {
	if len(c.GetFields()) == 0 {
		return "", nil
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(c)
	return string(text), err
}

// FromGraph returns a tuple of the graph as SpiceDB has it.
func FromGraph(t *graph.Tuple) (tuple.Relationship, error) {
	r := tuple.Relationship{RelationshipReference: tuple.RelationshipReference{
		Resource: tuple.ObjectAndRelation{ObjectType: t.Resource.Type, ObjectID: t.Resource.ID, Relation: t.Relation},
		Subject:  tuple.ObjectAndRelation{ObjectType: t.Subject.Type, ObjectID: t.Subject.ID, Relation: t.Subject.Relation},
	}}
	if r.Subject.Relation == "" {
		r.Subject.Relation = tuple.Ellipsis
	}
	if !t.Expires.IsZero() {
		expires := t.Expires
		r.OptionalExpiration = &expires
	}
	if t.Caveat != "" {
		context := &structpb.Struct{Fields: make(map[string]*structpb.Value)}
		if t.Context != "" {
			if err := proto.Unmarshal([]byte(t.Context), context); err != nil {
				return r, fmt.Errorf("decode the context of %s: %w", t, err)
			}
		}
		r.OptionalCaveat = &core.ContextualizedCaveat{CaveatName: t.Caveat, Context: context}
	}
	if t.Note != "" {
		r.OptionalIntegrity = &core.RelationshipIntegrity{}
		if err := r.OptionalIntegrity.UnmarshalVT([]byte(t.Note)); err != nil {
			return r, fmt.Errorf("decode the integrity of %s: %w", t, err)
		}
	}
	return r, nil
}

// plainRelation returns a subject's relation as the graph has it: none where SpiceDB has
// an ellipsis.
func plainRelation(r string) string {
	if r == tuple.Ellipsis {
		return ""
	}
	return r
}
