package delegation

import (
	"context"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Side is on which side of delegations a party is.
type Side uint8

// The sides.
const (
	Given    Side = iota // what the party gave, and what its providers passed on
	Received             // what it was given
	Clients              // what it passed on of its clients'
)

// Query asks for delegations of a party or to a system user.
type Query struct {
	Party      party.ID
	SystemUser string // then Party and Side are not looked at
	Side       Side
	Size       int    // of a page
	After      string // the last id of the page before
	By         Actor
}

// List returns a page of delegations, by id, and whether there are more. What has expired is
// not among them.
func (s *Service) List(ctx context.Context, q Query) (page []Delegation, more bool, err error) {
	if err := s.mayList(ctx, q); err != nil {
		return nil, false, err
	}
	query := records.DelegationQuery{LiveAt: s.now(), After: q.After, Limit: q.Size + 1}
	switch {
	case q.SystemUser != "":
		query.ToSystem = strings.ToLower(q.SystemUser)
	case q.Side == Received:
		query.To = q.Party
	case q.Side == Clients:
		query.Via = q.Party
	default:
		query.From = q.Party
	}
	var rows []records.Delegation
	err = s.records.Read(ctx, func(tx *records.Tx) (err error) {
		rows, err = tx.Delegations(ctx, query)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	for len(rows) > 0 {
		id, n := rows[0].ID(), 1
		for n < len(rows) && rows[n].ID() == id {
			n++
		}
		if len(page) == q.Size {
			return page, true, nil
		}
		page = append(page, s.of(rows[:n]))
		rows = rows[n:]
	}
	return page, false, nil
}

// mayList says whether the actor may see the list.
func (s *Service) mayList(ctx context.Context, q Query) error {
	if q.SystemUser == "" && q.Party == 0 {
		return fault.Field("party_id", "is required, unless system_user_id is given")
	}
	if q.By.User == 0 {
		return nil
	}
	of, permission := q.Party, permissionAdminister
	switch {
	case q.SystemUser != "":
		owner, err := s.ownerOf(ctx, strings.ToLower(q.SystemUser))
		if err != nil {
			return err
		}
		of = owner
	case q.Side == Received:
		if p, ok := s.directory.ByUser(q.By.User); ok && p.ID == q.Party {
			return nil
		}
	case q.Side == Clients:
		permission = permissionAdministerClients
	}
	may, err := s.has(ctx, relation.Party(int64(of)), permission, relation.User(int64(q.By.User)))
	if err != nil {
		return err
	}
	if !may {
		return fault.New(fault.Denied, ReasonNotAdministrator, "the user does not administer the party")
	}
	return nil
}
