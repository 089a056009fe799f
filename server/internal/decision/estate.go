package decision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Reader reads relationships.
type Reader interface {
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
}

// Estates knows who has which role in whose estate.
type Estates struct{ relations Reader }

// NewEstates returns an Estates.
func NewEstates(r Reader) (*Estates, error) {
	if r == nil {
		return nil, errors.New("decision: estates need relations")
	}
	return &Estates{r}, nil
}

// HeldInEstate is a role in an estate and its holder.
type HeldInEstate struct {
	Of     party.ID
	Role   string
	Holder party.UserID
}

// List returns the roles in a party's estate, or in all for 0, by estate, role and holder.
func (e *Estates) List(ctx context.Context, of party.ID) ([]HeldInEstate, relation.Revision, error) {
	tuples, revision, err := e.relations.Read(ctx, relation.At{Latest: true}, relation.Filter{ResourceType: relation.TypeEstateRole, Relation: relation.Holder})
	if err != nil {
		return nil, "", fmt.Errorf("read roles in estates: %w", err)
	}
	var held []HeldInEstate
	for _, t := range tuples {
		estate, role, ok := readEstateRole(t.Resource)
		holder, isUser := t.Subject.Number()
		if ok && isUser && (of == 0 || of == estate) {
			held = append(held, HeldInEstate{estate, role, party.UserID(holder)})
		}
	}
	slices.SortFunc(held, func(a, b HeldInEstate) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Holder, b.Holder))
	})
	return held, revision, nil
}

// Leaving returns what changes when parties go, each of them into the party that it becomes
// or into nobody: the roles in its estate go, and those that it holds in others'.
func (e *Estates) Leaving(ctx context.Context, gone map[party.Party]party.Party) ([]relation.Update, error) {
	estates, holders := make(map[party.ID]party.ID), make(map[party.UserID]party.UserID)
	for was, becomes := range gone {
		estates[was.ID] = becomes.ID
		if was.UserID != 0 && was.UserID != becomes.UserID {
			holders[was.UserID] = becomes.UserID
		}
	}
	held, _, err := e.List(ctx, 0)
	if err != nil {
		return nil, err
	}
	var updates []relation.Update
	for _, h := range held {
		of, estateGoes := estates[h.Of]
		holder, holderGoes := holders[h.Holder]
		if !estateGoes && !holderGoes {
			continue
		}
		if !estateGoes {
			of = h.Of
		}
		if !holderGoes {
			holder = h.Holder
		}
		was, err := h.Relationship()
		if err != nil {
			return nil, err
		}
		updates = append(updates, relation.Update{Op: relation.Delete, Relationship: was})
		if of == 0 || holder == 0 {
			continue
		}
		is, err := HeldInEstate{of, h.Role, holder}.Relationship()
		if err != nil {
			return nil, err
		}
		updates = append(updates, relation.Update{Op: relation.Touch, Relationship: is})
	}
	return updates, nil
}

// Relationship returns the role as a relationship.
func (h HeldInEstate) Relationship() (relation.Relationship, error) {
	object, err := EstateRole(h.Of, h.Role)
	if err != nil {
		return relation.Relationship{}, fmt.Errorf("name role %q in the estate of party %d: %w", h.Role, h.Of, err)
	}
	return relation.Relationship{Resource: object, Relation: relation.Holder, Subject: relation.User(int64(h.Holder))}, nil
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
