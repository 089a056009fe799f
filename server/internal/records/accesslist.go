package records

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/party"
)

// AccessList is a set of parties that resources are open to.
type AccessList struct {
	ID          string // that of its object in relationships
	Owner       string
	Identifier  string
	Name        string
	Description string
	ETag        string
	Updated     time.Time
	Source      string          // who wrote it last
	Members     []ListMember    // by party
	Opens       []ListedOpening // by resource
}

// ListMember is a party on an access list.
type ListMember struct {
	Party party.ID
	Since time.Time
}

// ListedOpening is a resource that a list opens to its members.
type ListedOpening struct {
	Resource string
	Actions  []string // none for all
}

const accessListColumns = "id, owner, identifier, name, description, etag, updated, source"

// PutAccessList writes a list over the one with its id, with its members and what it opens.
func (t *Tx) PutAccessList(ctx context.Context, l AccessList) error {
	if err := t.PutAccessListRow(ctx, l); err != nil {
		return err
	}
	if err := t.clearAccessList(ctx, l.ID); err != nil {
		return err
	}
	for _, m := range l.Members {
		if err := t.PutListMember(ctx, l.ID, m); err != nil {
			return err
		}
	}
	for _, o := range l.Opens {
		actions := ""
		if len(o.Actions) > 0 {
			text, err := json.Marshal(o.Actions)
			if err != nil {
				return err
			}
			actions = string(text)
		}
		if err := t.exec(ctx, "INSERT INTO access_list_resource (list, resource, actions) VALUES (?, ?, ?)", l.ID, o.Resource, actions); err != nil {
			return fmt.Errorf("write what access list %s opens: %w", l.ID, err)
		}
	}
	return nil
}

// PutAccessListRow writes a list without its members and what it opens.
func (t *Tx) PutAccessListRow(ctx context.Context, l AccessList) error {
	err := t.exec(ctx, "INSERT INTO access_list ("+accessListColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, etag = excluded.etag,
			updated = excluded.updated, source = excluded.source`,
		l.ID, l.Owner, l.Identifier, l.Name, l.Description, l.ETag, l.Updated.UnixMicro(), l.Source)
	if err != nil {
		return fmt.Errorf("write access list %s: %w", l.ID, err)
	}
	return nil
}

// PutListMember puts a party on a list; who is on it stays since when he was.
func (t *Tx) PutListMember(ctx context.Context, list string, m ListMember) error {
	err := t.exec(ctx, "INSERT INTO access_list_member (list, party, since) VALUES (?, ?, ?) ON CONFLICT (list, party) DO NOTHING",
		list, int64(m.Party), m.Since.UnixMicro())
	if err != nil {
		return fmt.Errorf("put party %d on access list %s: %w", m.Party, list, err)
	}
	return nil
}

// DeleteListMember takes a party from a list.
func (t *Tx) DeleteListMember(ctx context.Context, list string, member party.ID) error {
	if err := t.exec(ctx, "DELETE FROM access_list_member WHERE list = ? AND party = ?", list, int64(member)); err != nil {
		return fmt.Errorf("take party %d from access list %s: %w", member, list, err)
	}
	return nil
}

// DeleteAccessList deletes a list with all that hangs on it.
func (t *Tx) DeleteAccessList(ctx context.Context, id string) error {
	if err := t.clearAccessList(ctx, id); err != nil {
		return err
	}
	if err := t.exec(ctx, "DELETE FROM access_list WHERE id = ?", id); err != nil {
		return fmt.Errorf("delete access list %s: %w", id, err)
	}
	return nil
}

func (t *Tx) clearAccessList(ctx context.Context, id string) error {
	for _, text := range []string{"DELETE FROM access_list_member WHERE list = ?", "DELETE FROM access_list_resource WHERE list = ?"} {
		if err := t.exec(ctx, text, id); err != nil {
			return fmt.Errorf("clear access list %s: %w", id, err)
		}
	}
	return nil
}

// AccessList returns a list whole, and whether there is one.
func (t *Tx) AccessList(ctx context.Context, id string) (AccessList, bool, error) {
	found, err := t.accessLists(ctx, "id = ?", id)
	if err != nil || len(found) == 0 {
		return AccessList{}, false, err
	}
	l := found[0]
	if l.Members, err = t.listMembers(ctx, id); err != nil {
		return AccessList{}, false, err
	}
	l.Opens, err = t.openings(ctx, id)
	return l, true, err
}

// AccessListsBy returns the lists that a source wrote last, without members and what they open.
func (t *Tx) AccessListsBy(ctx context.Context, source string) ([]AccessList, error) {
	return t.accessLists(ctx, "source = ? ORDER BY id", source)
}

// AccessListsAfter returns up to limit lists after one, by owner and identifier, without
// members and what they open; those of an owner when it is not empty.
func (t *Tx) AccessListsAfter(ctx context.Context, owner, afterOwner, afterIdentifier string, limit int) ([]AccessList, error) {
	return t.accessLists(ctx, "(? = '' OR owner = ?) AND (owner > ? OR owner = ? AND identifier > ?) ORDER BY owner, identifier LIMIT ?",
		owner, owner, afterOwner, afterOwner, afterIdentifier, int64(limit))
}

// ListsOf returns the ids of the lists that a party is on.
func (t *Tx) ListsOf(ctx context.Context, member party.ID) ([]string, error) {
	return t.listIDs(ctx, "SELECT list FROM access_list_member WHERE party = ? ORDER BY list", int64(member))
}

// Opening is what a list says of one resource.
type Opening struct {
	List    string   // its id
	Actions []string // none for all
}

// OpeningsOf returns the lists that open a resource, by id.
func (t *Tx) OpeningsOf(ctx context.Context, resource string) ([]Opening, error) {
	var found []Opening
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			o       Opening
			actions string
		)
		if err := scan(&o.List, &actions); err != nil {
			return err
		}
		var err error
		o.Actions, err = readActions(actions)
		found = append(found, o)
		return err
	}, "SELECT list, actions FROM access_list_resource WHERE resource = ? ORDER BY list", resource)
	if err != nil {
		return nil, fmt.Errorf("read which lists open %s: %w", resource, err)
	}
	return found, nil
}

func (t *Tx) listIDs(ctx context.Context, text string, args ...any) ([]string, error) {
	var ids []string
	err := t.each(ctx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read access lists: %w", err)
	}
	return ids, nil
}

func (t *Tx) accessLists(ctx context.Context, where string, args ...any) ([]AccessList, error) {
	var found []AccessList
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			l       AccessList
			updated int64
		)
		if err := scan(&l.ID, &l.Owner, &l.Identifier, &l.Name, &l.Description, &l.ETag, &updated, &l.Source); err != nil {
			return err
		}
		l.Updated = time.UnixMicro(updated).UTC()
		found = append(found, l)
		return nil
	}, "SELECT "+accessListColumns+" FROM access_list WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read access lists: %w", err)
	}
	return found, nil
}

func (t *Tx) listMembers(ctx context.Context, id string) ([]ListMember, error) {
	var found []ListMember
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			m     ListMember
			since int64
		)
		err := scan(&m.Party, &since)
		m.Since = time.UnixMicro(since).UTC()
		found = append(found, m)
		return err
	}, "SELECT party, since FROM access_list_member WHERE list = ? ORDER BY party", id)
	if err != nil {
		return nil, fmt.Errorf("read the members of access list %s: %w", id, err)
	}
	return found, nil
}

func (t *Tx) openings(ctx context.Context, id string) ([]ListedOpening, error) {
	var found []ListedOpening
	err := t.each(ctx, func(scan func(...any) error) error {
		var (
			o       ListedOpening
			actions string
		)
		if err := scan(&o.Resource, &actions); err != nil {
			return err
		}
		var err error
		o.Actions, err = readActions(actions)
		found = append(found, o)
		return err
	}, "SELECT resource, actions FROM access_list_resource WHERE list = ? ORDER BY resource", id)
	if err != nil {
		return nil, fmt.Errorf("read what access list %s opens: %w", id, err)
	}
	return found, nil
}

func readActions(text string) (actions []string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &actions)
	}
	return actions, err
}
