package records

import (
	"context"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// SystemUser is a program that acts for a party.
type SystemUser struct {
	UUID   string // canonical lower-case form
	Owner  party.ID
	Agent  bool // it acts for its owner's clients; else for its owner
	Name   string
	Source string // who wrote it last
}

// Resource is a service that policies are about.
type Resource struct {
	ID          string
	Owner       string // the code of its organisation
	OwnerNumber string // its organisation number
	Type        string
	Title       string
	ListedOnly  bool // open to members of access lists only
	Source      string
}

const systemUserColumns = "uuid, owner, kind, name, source"

// PutSystemUser writes a system user over the one with its UUID.
func (t *Tx) PutSystemUser(ctx context.Context, u SystemUser) error {
	kind := int64(1)
	if u.Agent {
		kind = 2
	}
	err := t.exec(ctx, "INSERT INTO system_user ("+systemUserColumns+`) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (uuid) DO UPDATE SET owner = excluded.owner, kind = excluded.kind, name = excluded.name, source = excluded.source`,
		u.UUID, int64(u.Owner), kind, u.Name, u.Source)
	if err != nil {
		return fmt.Errorf("write system user %s: %w", u.UUID, err)
	}
	return nil
}

// DeleteSystemUser deletes a system user.
func (t *Tx) DeleteSystemUser(ctx context.Context, uuid string) error {
	if err := t.exec(ctx, "DELETE FROM system_user WHERE uuid = ?", uuid); err != nil {
		return fmt.Errorf("delete system user %s: %w", uuid, err)
	}
	return nil
}

// SystemUser returns a system user, and whether there is one.
func (t *Tx) SystemUser(ctx context.Context, uuid string) (SystemUser, bool, error) {
	found, err := t.systemUsers(ctx, "uuid = ?", uuid)
	if err != nil || len(found) == 0 {
		return SystemUser{}, false, err
	}
	return found[0], true, nil
}

// SystemUsersOf returns the system users of a party, by UUID.
func (t *Tx) SystemUsersOf(ctx context.Context, owner party.ID) ([]SystemUser, error) {
	return t.systemUsers(ctx, "owner = ? ORDER BY uuid", int64(owner))
}

// SystemUsersBy returns the system users that a source wrote last, by UUID.
func (t *Tx) SystemUsersBy(ctx context.Context, source string) ([]SystemUser, error) {
	return t.systemUsers(ctx, "source = ? ORDER BY uuid", source)
}

// SystemUsersAfter returns up to limit system users after one, by UUID; those of an owner
// when it is not 0.
func (t *Tx) SystemUsersAfter(ctx context.Context, owner party.ID, after string, limit int) ([]SystemUser, error) {
	return t.systemUsers(ctx, "(? = 0 OR owner = ?) AND uuid > ? ORDER BY uuid LIMIT ?", int64(owner), int64(owner), after, int64(limit))
}

func (t *Tx) systemUsers(ctx context.Context, where string, args ...any) ([]SystemUser, error) {
	var found []SystemUser
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			u    SystemUser
			kind int
		)
		if err := scan(&u.UUID, &u.Owner, &kind, &u.Name, &u.Source); err != nil {
			return err
		}
		u.Agent = kind == 2
		found = append(found, u)
		return nil
	}, "SELECT "+systemUserColumns+" FROM system_user WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read system users: %w", err)
	}
	return found, nil
}

const resourceColumns = "id, owner, owner_number, type, title, listed_only, source"

// PutResource writes a resource over the one with its id.
func (t *Tx) PutResource(ctx context.Context, r Resource) error {
	err := t.exec(ctx, "INSERT INTO resource ("+resourceColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, owner_number = excluded.owner_number, type = excluded.type,
			title = excluded.title, listed_only = excluded.listed_only, source = excluded.source`,
		r.ID, r.Owner, r.OwnerNumber, r.Type, r.Title, r.ListedOnly, r.Source)
	if err != nil {
		return fmt.Errorf("write resource %s: %w", r.ID, err)
	}
	return nil
}

// DeleteResource deletes a resource.
func (t *Tx) DeleteResource(ctx context.Context, id string) error {
	if err := t.exec(ctx, "DELETE FROM resource WHERE id = ?", id); err != nil {
		return fmt.Errorf("delete resource %s: %w", id, err)
	}
	return nil
}

// Resource returns a resource, and whether there is one.
func (t *Tx) Resource(ctx context.Context, id string) (Resource, bool, error) {
	found, err := t.resources(ctx, "id = ?", id)
	if err != nil || len(found) == 0 {
		return Resource{}, false, err
	}
	return found[0], true, nil
}

// ResourcesBy returns the resources that a source wrote last, by id.
func (t *Tx) ResourcesBy(ctx context.Context, source string) ([]Resource, error) {
	return t.resources(ctx, "source = ? ORDER BY id", source)
}

// ResourcesAfter returns up to limit resources after one, by id; those of an owner when it
// is not empty.
func (t *Tx) ResourcesAfter(ctx context.Context, owner, after string, limit int) ([]Resource, error) {
	return t.resources(ctx, "(? = '' OR owner = ?) AND id > ? ORDER BY id LIMIT ?", owner, owner, after, int64(limit))
}

func (t *Tx) resources(ctx context.Context, where string, args ...any) ([]Resource, error) {
	var found []Resource
	err := t.each(ctx, func(scan func(...any) error) error {
		var r Resource
		if err := scan(&r.ID, &r.Owner, &r.OwnerNumber, &r.Type, &r.Title, &r.ListedOnly, &r.Source); err != nil {
			return err
		}
		found = append(found, r)
		return nil
	}, "SELECT "+resourceColumns+" FROM resource WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read resources: %w", err)
	}
	return found, nil
}
