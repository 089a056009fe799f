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
	Package        string // the relation of an access package that he must have, instead
	Resource       string // what he must have a role or package for by its policy, or a right to, instead
	Action         string // of the resource; empty for any
	Search         string // words that begin words of the name, or the beginning of the number
	Order          Order
	PageSize       int    // 0 for all
	PageToken      string // from the page before; empty for the first
	Group          bool   // nest sub-units in their main units
	ExcludeDeleted bool   // leave out what the register has struck off
	At             relation.At
}

// permission is what the user must have on a party of the list.
func (q Query) permission() string {
	if q.Package != "" {
		return packagePermission(q.Package)
	}
	return rolePermission(q.Role)
}

func packagePermission(name string) string { return "has_pkg_" + name }

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
		relation.ResourceID(q.Resource), q.Action,
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
	found, revision, err := s.find(ctx, q)
	if err != nil {
		return List{}, fmt.Errorf("list the parties of user %d: %w", q.User, err)
	}
	// The directory is read after the relations: what their revision saw is in it.
	k, begun := s.view(found, q.view(), wanted.from.begun)
	wanted.from.begun = begun
	out := List{Total: k.total, Revision: revision}
	if k.groups != nil {
		groups, more := k.groups.page(wanted.from.after, wanted.size)
		out.Entries = groupEntries(groups)
		out.Next = nextToken(wanted, k.groups, groups, more)
		return out, nil
	}
	flat, more := k.flat.page(wanted.from.after, wanted.size)
	out.Entries = entries(flat)
	out.Next = nextToken(wanted, k.flat, flat, more)
	return out, nil
}

func (q Query) view() viewQuery {
	return viewQuery{order: q.Order, group: q.Group, standing: q.ExcludeDeleted, search: q.Search}
}

// view returns the list of parties that were found, as of the moment that its first page was
// made at, and that moment: now when it is 0.
func (s *Service) view(found *relation.Listed, q viewQuery, then moment) (*view, moment) {
	f := form{found: found, query: q}
	if k := s.views.find(f); k != nil {
		// No record that it rests on was changed since it was made, so that positions are the
		// same from then on.
		if still, now := s.directory.still(k); still && (then == 0 || then >= k.begun) {
			if then == 0 {
				then = now
			}
			return k, then
		}
	}
	if f.placed = then; then != 0 {
		if k := s.views.find(f); k != nil {
			if still, _ := s.directory.still(k); still {
				return k, then
			}
		}
	}
	k := s.makeView(f)
	s.views.keep(k)
	if then == 0 {
		then = k.begun
	}
	return k, then
}

func (o Order) position(l listing) position { return o.of(l.id, l.placed) }

// numbers returns the numbers among object ids. Ids that people wrote through the
// relations API need not be numbers; those are no parties of the register.
func numbers(texts []string) []ID {
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
	kept := make([]listing, 0, len(list))
	for _, l := range list {
		if l.record == nil || l.record.text(deletedOnText) == "" {
			kept = append(kept, l)
		}
	}
	return kept
}

// found keeps the parties that the search finds.
func (find search) found(list []listing) []listing {
	if len(find.words) == 0 {
		return list
	}
	var kept []listing
	for _, l := range list {
		if find.finds(l.record) {
			kept = append(kept, l)
		}
	}
	return kept
}

func entries(list []spot[listing]) []Entry {
	out := make([]Entry, len(list))
	for i := range list {
		fill(&out[i], list[i].of)
	}
	return out
}

// fill sets an entry, which is zero, to a party.
func fill(e *Entry, l listing) {
	if l.record == nil {
		e.ID = l.id
		return
	}
	e.Party = l.record.party()
}
