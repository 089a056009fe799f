package decision

import (
	"context"
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Writer writes relationships.
type Writer interface {
	Write(ctx context.Context, updates []relation.Update) (relation.Revision, error)
}

// Estates writes who has which role in whose estate.
type Estates struct{ relations Writer }

// NewEstates returns an Estates.
func NewEstates(w Writer) (*Estates, error) {
	if w == nil {
		return nil, errors.New("decision: estates need relations")
	}
	return &Estates{w}, nil
}

// Put gives a user a role in a party's estate.
func (e *Estates) Put(ctx context.Context, of party.ID, role string, user party.UserID) (relation.Revision, error) {
	return e.write(ctx, relation.Touch, of, role, user)
}

// Delete takes a role away. One that is not held is no fault.
func (e *Estates) Delete(ctx context.Context, of party.ID, role string, user party.UserID) (relation.Revision, error) {
	return e.write(ctx, relation.Delete, of, role, user)
}

func (e *Estates) write(ctx context.Context, op relation.Op, of party.ID, role string, user party.UserID) (relation.Revision, error) {
	object, err := EstateRole(of, role)
	if err != nil {
		return "", fmt.Errorf("name role %q in the estate of party %d: %w", role, of, err)
	}
	revision, err := e.relations.Write(ctx, []relation.Update{{Op: op, Relationship: relation.Relationship{
		Resource: object, Relation: relation.Holder, Subject: relation.User(int64(user)),
	}}})
	if err != nil {
		return "", fmt.Errorf("write role %q in the estate of party %d: %w", role, of, err)
	}
	return revision, nil
}

// EstateRole returns the object of a role in a party's estate.
func EstateRole(of party.ID, role string) (relation.Object, error) {
	id, err := relation.JoinID(relation.Party(int64(of)).ID, role)
	return relation.Object{Type: relation.TypeEstateRole, ID: id}, err
}

// readEstateRole returns whose estate an object is about, and which role.
func readEstateRole(o relation.Object) (of party.ID, role string, ok bool) {
	parts, err := relation.SplitID(o.ID)
	if err != nil || len(parts) != 2 {
		return 0, "", false
	}
	n, ok := relation.Object{Type: relation.TypeParty, ID: parts[0]}.Number()
	return party.ID(n), parts[1], ok
}
