package delegation

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Revoke takes a delegation back, whatever source says that it stands. At the revision that
// it returns, and from then on, nobody has anything by it. What is not there is taken back.
func (s *Service) Revoke(ctx context.Context, id string, by Actor) (relation.Revision, error) {
	return s.register.Delegate(ctx,
		func(ctx context.Context) error {
			if by.User == 0 {
				return nil
			}
			var rows []records.Delegation
			err := s.records.Read(ctx, func(tx *records.Tx) (err error) {
				rows, err = tx.DelegationsWithID(ctx, id)
				return err
			})
			if err != nil || len(rows) == 0 {
				return err
			}
			return s.mayRevoke(ctx, rows, by.User)
		},
		func(ctx context.Context, tx *records.Tx) (register.Delegations, error) {
			rows, err := tx.DelegationsWithID(ctx, id)
			return register.Delegations{Delete: rows}, err
		})
}

// mayRevoke says whether a user may take back what the rows of one id say: he gave it, he
// has it, or he administers who gave it or has it.
func (s *Service) mayRevoke(ctx context.Context, rows []records.Delegation, user party.UserID) error {
	for _, r := range rows {
		if r.GivenBy == user || r.ToUser == user {
			return nil
		}
	}
	d := rows[0]
	who := relation.User(int64(user))
	ask := func(of party.ID, permissions ...string) (questions []relation.Question) {
		for _, p := range permissions {
			questions = append(questions, relation.Question{Object: relation.Party(int64(of)), Permission: p, Subject: who})
		}
		return questions
	}
	var questions []relation.Question
	if d.Via != 0 {
		questions = ask(d.Via, permissionAdministerClients)
	} else {
		questions = ask(d.From, permissionAdminister)
	}
	switch {
	case d.ToSystem != "":
		owner, err := s.ownerOf(ctx, d.ToSystem)
		if err != nil {
			return err
		}
		questions = append(questions, ask(owner, permissionAdminister)...)
	case d.ToUser == 0:
		questions = append(questions, ask(d.To, permissionAdminister, permissionKeyHolder)...)
	}
	yes, err := s.ask(ctx, questions)
	if err != nil {
		return err
	}
	for _, may := range yes {
		if may {
			return nil
		}
	}
	return fault.New(fault.Denied, ReasonMayNotRevoke,
		"the user neither gave nor has the delegation, nor administers the party that did or does")
}

// ownerOf returns the owner of a system user, 0 when there is no such system user.
func (s *Service) ownerOf(ctx context.Context, uuid string) (owner party.ID, err error) {
	err = s.records.Read(ctx, func(tx *records.Tx) error {
		u, _, err := tx.SystemUser(ctx, uuid)
		owner = u.Owner
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("look for system user %s: %w", uuid, err)
	}
	return owner, nil
}
