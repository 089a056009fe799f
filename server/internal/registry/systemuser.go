package registry

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

const relationOwner = "owner"

var uuidText = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// SystemUser is a program that acts for a party, as it is put.
type SystemUser struct {
	UUID  string
	Owner Reference
	Name  string
	Agent bool // it acts for its owner's clients; else for its owner
}

// SystemUserObject returns the object of a system user.
func SystemUserObject(uuid string) relation.Object {
	return relation.Object{Type: relation.TypeSystemUser, ID: strings.ToLower(uuid)}
}

// check says what is wrong with a system user taken by itself, and puts it into its
// canonical form.
func (u *SystemUser) check() error {
	u.UUID = strings.ToLower(u.UUID)
	if !uuidText.MatchString(u.UUID) {
		return fault.Field("system_user.uuid", "must be a UUID, such as 47caea5b-a80b-4343-b1d3-31eb523a4e28")
	}
	return checkText("system_user.name", u.Name)
}

const maxText = 1024

func checkText(field, text string) error {
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxText {
		return fault.Field(field, "must have at most %d characters", maxText)
	}
	return nil
}

// PutSystemUser adds a system user, or replaces what is recorded of it.
func (s *Service) PutSystemUser(ctx context.Context, source string, u SystemUser) (records.SystemUser, relation.Revision, error) {
	if err := u.check(); err != nil {
		return records.SystemUser{}, "", err
	}
	var row records.SystemUser
	revision, err := s.write(ctx, func(ctx context.Context, tx *records.Tx) (_ []relation.Update, err error) {
		if row, err = systemUserRow(ctx, tx, source, u); err != nil {
			return nil, err
		}
		return putSystemUser(ctx, tx, row)
	})
	return row, revision, err
}

// systemUserRow returns a system user as it is recorded.
func systemUserRow(ctx context.Context, tx *records.Tx, source string, u SystemUser) (records.SystemUser, error) {
	owner, err := resolve(ctx, tx, "system_user.owner", u.Owner)
	return records.SystemUser{UUID: u.UUID, Owner: owner, Agent: u.Agent, Name: u.Name, Source: source}, err
}

func putSystemUser(ctx context.Context, tx *records.Tx, row records.SystemUser) ([]relation.Update, error) {
	was, known, err := tx.SystemUser(ctx, row.UUID)
	if err != nil || known && was == row {
		return nil, err
	}
	if known && (was.Owner != row.Owner || was.Agent != row.Agent) {
		if err := actsForNobody(ctx, tx, was); err != nil {
			return nil, err
		}
	}
	if err := tx.PutSystemUser(ctx, row); err != nil {
		return nil, err
	}
	of := SystemUserObject(row.UUID)
	updates := []relation.Update{touch(of, relationOwner, row.Owner)}
	if known && was.Owner != row.Owner {
		updates = append(updates, remove(of, relationOwner, was.Owner))
	}
	return updates, nil
}

// actsForNobody refuses to make a system user somebody else's, or one of another kind, while
// its owner has it act for clients.
func actsForNobody(ctx context.Context, tx *records.Tx, u records.SystemUser) error {
	given, err := tx.DelegationsToSystem(ctx, u.UUID)
	if err != nil {
		return err
	}
	n := 0
	for _, g := range given {
		if g.Via != 0 {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return fault.New(fault.Precondition, ReasonSystemUserHasRights,
		"system user %s acts for clients of party %d by %d packages; take them back first", u.UUID, u.Owner, n).With("count", strconv.Itoa(n))
}

// SystemUser returns a system user.
func (s *Service) SystemUser(ctx context.Context, uuid string) (records.SystemUser, error) {
	var found records.SystemUser
	err := s.records.Read(ctx, func(tx *records.Tx) error {
		u, ok, err := tx.SystemUser(ctx, strings.ToLower(uuid))
		if err == nil && !ok {
			err = noSystemUser(uuid)
		}
		found = u
		return err
	})
	return found, err
}

func noSystemUser(uuid string) error {
	return fault.New(fault.NotFound, ReasonSystemUserNotFound, "there is no system user %s", uuid)
}

// SystemUsers returns a page of system users, by UUID, those of an owner unless it is empty,
// and after which the next page continues; that is empty at the end.
func (s *Service) SystemUsers(ctx context.Context, owner Reference, after string, size int) ([]records.SystemUser, string, error) {
	var found []records.SystemUser
	err := s.records.Read(ctx, func(tx *records.Tx) (err error) {
		var of party.ID
		if owner != "" {
			if of, err = resolve(ctx, tx, "owner", owner); err != nil {
				return err
			}
		}
		found, err = tx.SystemUsersAfter(ctx, of, after, page(size))
		return err
	})
	if err != nil || len(found) < page(size) {
		return found, "", err
	}
	found = found[:len(found)-1]
	return found, found[len(found)-1].UUID, nil
}

// DeleteSystemUser removes a system user that has been delegated nothing.
func (s *Service) DeleteSystemUser(ctx context.Context, uuid string) (relation.Revision, error) {
	return s.write(ctx, func(ctx context.Context, tx *records.Tx) ([]relation.Update, error) {
		return deleteSystemUser(ctx, tx, strings.ToLower(uuid))
	})
}

func deleteSystemUser(ctx context.Context, tx *records.Tx, uuid string) ([]relation.Update, error) {
	was, known, err := tx.SystemUser(ctx, uuid)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, noSystemUser(uuid)
	}
	given, err := tx.DelegationsToSystem(ctx, uuid)
	if err != nil {
		return nil, err
	}
	if n := len(given); n > 0 {
		return nil, fault.New(fault.Precondition, ReasonSystemUserHasRights,
			"system user %s has been delegated %d rights or packages; take them back first", uuid, n).With("count", strconv.Itoa(n))
	}
	if err := tx.DeleteSystemUser(ctx, uuid); err != nil {
		return nil, err
	}
	return []relation.Update{remove(SystemUserObject(uuid), relationOwner, was.Owner)}, nil
}
