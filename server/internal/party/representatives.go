package party

import (
	"context"
	"fmt"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// RepresentativesQuery asks for the users who may represent a party.
type RepresentativesQuery struct {
	Party     ID
	Role      string // the relation of a role that the user must have; empty for any
	PageSize  int    // 0 for all
	PageToken string // from the page before; empty for the first
	At        relation.At
}

// Representative is a user who may represent a party.
type Representative struct {
	User  UserID
	Party Party // the user's own party; its ID is 0 when the register knows none
}

// Representatives is one page of representatives.
type Representatives struct {
	Users    []Representative
	Next     string // token of the next page; empty at the end
	Total    int    // users of all pages
	Revision relation.Revision
}

// Representatives returns the users who may represent a party, by user id. Nobody
// represents a party that does not exist; that is no fault.
func (s *Service) Representatives(ctx context.Context, q RepresentativesQuery) (Representatives, error) {
	query := newFingerprint("representatives", strconv.FormatInt(int64(q.Party), 10), rolePermission(q.Role), past(q.At))
	wanted, err := newPage(query, q.PageToken, q.PageSize)
	if err != nil {
		return Representatives{}, err
	}
	found, revision, err := s.relations.ListSubjects(ctx, q.At, relation.Party(int64(q.Party)), rolePermission(q.Role), relation.TypeUser)
	if err != nil {
		return Representatives{}, fmt.Errorf("list who may represent party %d: %w", q.Party, err)
	}
	k, _ := s.view(s.unions.of(found), viewQuery{users: true}, 0)
	users, more := k.flat.page(wanted.from.after, wanted.size)
	out := Representatives{Users: make([]Representative, len(users)), Total: k.total, Revision: revision, Next: nextToken(wanted, k.flat, users, more)}
	for i, u := range users {
		user := UserID(u.of.id)
		own, _ := s.directory.ByUser(user)
		out.Users[i] = Representative{User: user, Party: own}
	}
	return out, nil
}
