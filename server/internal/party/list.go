package party

import (
	"context"
	"fmt"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Query asks for a list of the parties that a user may represent.
type Query struct {
	User           UserID
	Role           string // the relation of a role that the user must have; empty for any
	Search         string // words that begin words of the name, or the beginning of the number
	Order          Order
	PageSize       int    // 0 for all
	PageToken      string // from the page before; empty for the first
	Group          bool   // nest sub-units in their main units
	ExcludeDeleted bool   // leave out what the register has struck off
	At             relation.At
}

// permission is what the user must have on a party of the list.
func (q Query) permission() string { return rolePermission(q.Role) }

func rolePermission(role string) string {
	if role == "" {
		return relation.Represent
	}
	return "has_" + role
}

func (q Query) fingerprint() fingerprint {
	return newFingerprint("parties",
		strconv.FormatInt(int64(q.User), 10),
		q.permission(),
		newSearch(q.Search).normal(),
		strconv.Itoa(int(q.Order)),
		strconv.FormatBool(q.Group),
		strconv.FormatBool(q.ExcludeDeleted),
		past(q.At),
	)
}

// past tells lists of different states of the past apart, and from those of the present,
// which are one list however it changes.
func past(at relation.At) string {
	if !at.Past() {
		return ""
	}
	return string(at.Exact) + "@" + strconv.FormatInt(at.Time.UnixMicro(), 10)
}

// Entry is a party in a list.
type Entry struct {
	Party
	HierarchyOnly bool    // not one of the list itself: it carries sub-units that are
	SubUnits      []Entry // the listed sub-units; in grouped lists only
}

// List is one page of entries.
type List struct {
	Entries  []Entry
	Next     string // token of the next page; empty at the end
	Total    int    // entries of all pages
	Revision relation.Revision
}

// List returns the parties that a user may represent. A party that only the relations
// know is listed by id, without a name.
//
// Pages are cut by position, not by count, and positions are those of the moment the
// first page was made: a party that was renamed since stays where it was, and one that
// is new on record comes last. So a party that is in the list throughout is on exactly
// one page and no party is on two, whatever changes in between.
func (s *Service) List(ctx context.Context, q Query) (List, error) {
	wanted, err := newPage(q.fingerprint(), q.PageToken, q.PageSize)
	if err != nil {
		return List{}, err
	}
	texts, revision, err := s.relations.Resources(ctx, q.At, relation.TypeParty, q.permission(), relation.User(int64(q.User)))
	if err != nil {
		return List{}, fmt.Errorf("list the parties of user %d: %w", q.User, err)
	}
	// The directory is read after the relations: what their revision saw is in it.
	var list []listing
	list, wanted.from.begun = s.directory.listings(partyIDs(texts), wanted.from.begun)
	if q.ExcludeDeleted {
		list = standing(list)
	}

	out := List{Revision: revision}
	if q.Group {
		groups := q.grouped(list)
		out.Total = len(groups)
		groups, out.Next = pageOf(groups, func(g *group) position { return q.position(g.main) }, wanted)
		out.Entries = q.groupEntries(groups)
		return out, nil
	}
	list = q.found(list)
	out.Total = len(list)
	list, out.Next = pageOf(list, q.position, wanted)
	out.Entries = entries(list)
	return out, nil
}

func (q Query) position(l listing) position { return q.Order.of(l.id, l.placed) }

// partyIDs returns the numbers among object ids. Ids that people wrote through the
// relations API need not be numbers; those are no parties of the register.
func partyIDs(texts []string) []ID {
	ids := make([]ID, 0, len(texts))
	for _, text := range texts {
		if n, ok := (relation.Object{Type: relation.TypeParty, ID: text}).Number(); ok {
			ids = append(ids, ID(n))
		}
	}
	return ids
}

// standing keeps the parties that the register has not struck off.
func standing(list []listing) []listing {
	kept := list[:0]
	for _, l := range list {
		if l.record == nil || l.record.party.DeletedOn == "" {
			kept = append(kept, l)
		}
	}
	return kept
}

// found keeps the parties that the search finds.
func (q Query) found(list []listing) []listing {
	find := newSearch(q.Search)
	kept := list[:0]
	for _, l := range list {
		if find.finds(l.record) {
			kept = append(kept, l)
		}
	}
	return kept
}

func entries(list []listing) []Entry {
	out := make([]Entry, len(list))
	for i, l := range list {
		out[i] = entry(l.id, l.record)
	}
	return out
}

func entry(id ID, r *record) Entry {
	if r == nil {
		return Entry{Party: Party{ID: id}}
	}
	return Entry{Party: r.party}
}
