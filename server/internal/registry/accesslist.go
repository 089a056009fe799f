package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

const relationMember = "member"

var (
	ownerCode  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$`)
)

// AccessList is a set of parties that resources are open to, as it is put.
type AccessList struct {
	Owner       string
	Identifier  string
	Name        string
	Description string
	Members     []Member
	Opens       []records.ListedOpening
}

// Member is a party on an access list.
type Member struct {
	Party Reference
	Since time.Time // zero for now
}

// ListID returns the id of a list's object.
func ListID(owner, identifier string) (string, error) { return relation.JoinID(owner, identifier) }

// ListURN returns how policies name a list.
func ListURN(owner, identifier string) string {
	return "urn:altinn:access-list:" + owner + ":" + identifier
}

func listObject(id string) relation.Object {
	return relation.Object{Type: relation.TypeAccessList, ID: id}
}

func (l *AccessList) check() error {
	if !ownerCode.MatchString(l.Owner) {
		return fault.Field("access_list.owner", "must be the code of an organisation, such as ttd")
	}
	if !identifier.MatchString(l.Identifier) {
		return fault.Field("access_list.identifier", "must be letters, digits, dots, underscores and dashes")
	}
	if err := checkText("access_list.name", l.Name); err != nil {
		return err
	}
	seen := make(map[string]bool, len(l.Opens))
	for i, o := range l.Opens {
		field := fmt.Sprintf("access_list.resources[%d].resource", i)
		if o.Resource == "" {
			return fault.Field(field, "is required")
		}
		if seen[o.Resource] {
			return fault.Field(field, "is there twice; give all its actions at once")
		}
		seen[o.Resource] = true
	}
	return checkText("access_list.description", l.Description)
}

// row returns the list as it is recorded.
func (s *Service) row(ctx context.Context, tx *records.Tx, source string, l AccessList) (records.AccessList, error) {
	if err := l.check(); err != nil {
		return records.AccessList{}, err
	}
	id, err := ListID(l.Owner, l.Identifier)
	if err != nil {
		return records.AccessList{}, fault.Field("access_list.identifier", "%v", err)
	}
	row := records.AccessList{
		ID: id, Owner: l.Owner, Identifier: l.Identifier, Name: l.Name, Description: l.Description, Source: source,
		Opens: slices.Clone(l.Opens), Updated: micros(s.now()),
	}
	names := make([]Reference, len(l.Members))
	for i, m := range l.Members {
		names[i] = m.Party
	}
	members, err := resolveAll(ctx, tx, "access_list.members[%d].party", names)
	if err != nil {
		return records.AccessList{}, err
	}
	for i, m := range l.Members {
		row.Members = append(row.Members, records.ListMember{Party: members[i], Since: micros(m.Since)})
	}
	slices.SortFunc(row.Members, func(a, b records.ListMember) int { return int(a.Party - b.Party) })
	row.Members = slices.CompactFunc(row.Members, func(a, b records.ListMember) bool { return a.Party == b.Party })
	for i := range row.Opens {
		row.Opens[i].Actions = slices.Compact(slices.Sorted(slices.Values(row.Opens[i].Actions)))
	}
	slices.SortFunc(row.Opens, func(a, b records.ListedOpening) int { return strings.Compare(a.Resource, b.Resource) })
	row.ETag, err = etag(row)
	return row, err
}

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// etag names a list by what it says, not by when its members came.
func etag(l records.AccessList) (string, error) {
	members := make([]party.ID, len(l.Members))
	for i, m := range l.Members {
		members[i] = m.Party
	}
	text, err := json.Marshal([]any{l.ID, l.Name, l.Description, members, l.Opens})
	if err != nil {
		return "", fmt.Errorf("name a version of access list %s: %w", l.ID, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

// PutAccessList adds a list, or replaces it. ifMatch is the ETag that it must have, "*" for
// any, empty when there may be none.
func (s *Service) PutAccessList(ctx context.Context, source string, l AccessList, ifMatch string) (records.AccessList, relation.Revision, error) {
	var row records.AccessList
	revision, err := s.write(ctx, func(ctx context.Context, tx *records.Tx) (_ []relation.Update, err error) {
		if row, err = s.row(ctx, tx, source, l); err != nil {
			return nil, err
		}
		return putAccessList(ctx, tx, &row, ifMatch)
	})
	return row, revision, err
}

// putAccessList writes a list. Members stay on it since when they were.
func putAccessList(ctx context.Context, tx *records.Tx, row *records.AccessList, ifMatch string) ([]relation.Update, error) {
	was, known, err := tx.AccessList(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	if err := matches(was, known, ifMatch); err != nil {
		return nil, err
	}
	if known && was.ETag == row.ETag && was.Source == row.Source {
		*row = was
		return nil, nil
	}
	since := make(map[party.ID]time.Time, len(was.Members))
	for _, m := range was.Members {
		since[m.Party] = m.Since
	}
	var updates []relation.Update
	for i := range row.Members {
		m := &row.Members[i]
		if at, ok := since[m.Party]; ok {
			m.Since = at
			delete(since, m.Party)
			continue
		}
		if m.Since.IsZero() {
			m.Since = row.Updated
		}
		updates = append(updates, touch(listObject(row.ID), relationMember, m.Party))
	}
	for gone := range since {
		updates = append(updates, remove(listObject(row.ID), relationMember, gone))
	}
	return updates, tx.PutAccessList(ctx, *row)
}

func matches(was records.AccessList, known bool, ifMatch string) error {
	if ifMatch = strings.Trim(ifMatch, `"`); ifMatch == "" || known && (ifMatch == "*" || ifMatch == was.ETag) {
		return nil
	}
	return fault.New(fault.Precondition, fault.ReasonETagMismatch, "the access list is not the one that was expected").With("etag", was.ETag)
}

// ChangeMembers puts parties on a list and takes others from it, and returns its ETag.
func (s *Service) ChangeMembers(ctx context.Context, owner, name string, add, drop []Reference, ifMatch string) (string, relation.Revision, error) {
	var tag string
	revision, err := s.write(ctx, func(ctx context.Context, tx *records.Tx) ([]relation.Update, error) {
		added, err := resolveAll(ctx, tx, "add[%d]", add)
		if err != nil {
			return nil, err
		}
		dropped, err := resolveAll(ctx, tx, "remove[%d]", drop)
		if err != nil {
			return nil, err
		}
		list, err := s.known(ctx, tx, owner, name)
		if err != nil {
			return nil, err
		}
		if err := matches(list, true, ifMatch); err != nil {
			return nil, err
		}
		list.Updated = micros(s.now())
		kept := slices.DeleteFunc(slices.Clone(list.Members), func(m records.ListMember) bool { return slices.Contains(dropped, m.Party) })
		for _, id := range added {
			if !slices.ContainsFunc(kept, func(m records.ListMember) bool { return m.Party == id }) {
				kept = append(kept, records.ListMember{Party: id})
			}
		}
		slices.SortFunc(kept, func(a, b records.ListMember) int { return int(a.Party - b.Party) })
		list.Members = kept
		if list.ETag, err = etag(list); err != nil {
			return nil, err
		}
		tag = list.ETag
		return putAccessList(ctx, tx, &list, "")
	})
	return tag, revision, err
}

// known returns a list, or the fault that there is none.
func (s *Service) known(ctx context.Context, tx *records.Tx, owner, name string) (records.AccessList, error) {
	id, err := ListID(owner, name)
	if err != nil {
		return records.AccessList{}, noList(owner, name)
	}
	list, ok, err := tx.AccessList(ctx, id)
	if err == nil && !ok {
		err = noList(owner, name)
	}
	return list, err
}

func noList(owner, name string) error {
	return fault.New(fault.NotFound, ReasonAccessListNotFound, "there is no access list %s of %s", name, owner)
}

// AccessList returns a list whole.
func (s *Service) AccessList(ctx context.Context, owner, name string) (records.AccessList, error) {
	var found records.AccessList
	err := s.records.Read(ctx, func(tx *records.Tx) (err error) {
		found, err = s.known(ctx, tx, owner, name)
		return err
	})
	return found, err
}

// AccessLists returns a page of lists by owner and identifier, without their members, those
// of an owner unless it is empty. after and the token returned are pairs of both.
func (s *Service) AccessLists(ctx context.Context, owner string, after [2]string, size int) ([]records.AccessList, [2]string, error) {
	var found []records.AccessList
	err := s.records.Read(ctx, func(tx *records.Tx) (err error) {
		found, err = tx.AccessListsAfter(ctx, owner, after[0], after[1], page(size))
		return err
	})
	if err != nil || len(found) < page(size) {
		return found, [2]string{}, err
	}
	found = found[:len(found)-1]
	last := found[len(found)-1]
	return found, [2]string{last.Owner, last.Identifier}, nil
}

// DeleteAccessList removes a list.
func (s *Service) DeleteAccessList(ctx context.Context, owner, name, ifMatch string) (relation.Revision, error) {
	return s.write(ctx, func(ctx context.Context, tx *records.Tx) ([]relation.Update, error) {
		list, err := s.known(ctx, tx, owner, name)
		if err != nil {
			return nil, err
		}
		if err := matches(list, true, ifMatch); err != nil {
			return nil, err
		}
		return deleteAccessList(ctx, tx, list)
	})
}

func deleteAccessList(ctx context.Context, tx *records.Tx, list records.AccessList) ([]relation.Update, error) {
	var updates []relation.Update
	for _, m := range list.Members {
		updates = append(updates, remove(listObject(list.ID), relationMember, m.Party))
	}
	return updates, tx.DeleteAccessList(ctx, list.ID)
}
