package registry

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/records"
)

// Export gives f all that a source wrote last, as an import takes it: system users, access
// lists, then resources.
func Export(ctx context.Context, tx *records.Tx, source string, f func(Entry) error) error {
	users, err := tx.SystemUsersBy(ctx, source)
	if err != nil {
		return err
	}
	for _, u := range users {
		if err := f(Entry{SystemUser: &SystemUser{UUID: u.UUID, Owner: ReferenceTo(u.Owner), Name: u.Name, Agent: u.Agent}}); err != nil {
			return err
		}
	}
	lists, err := tx.AccessListsBy(ctx, source)
	if err != nil {
		return err
	}
	for _, l := range lists {
		whole, known, err := tx.AccessList(ctx, l.ID)
		if err != nil {
			return err
		}
		if !known {
			continue
		}
		if err := f(Entry{AccessList: asPut(whole)}); err != nil {
			return err
		}
	}
	resources, err := tx.ResourcesBy(ctx, source)
	if err != nil {
		return err
	}
	for _, r := range resources {
		if err := f(Entry{Resource: &r}); err != nil {
			return err
		}
	}
	return nil
}

// asPut returns a list as it would be put.
func asPut(l records.AccessList) *AccessList {
	put := &AccessList{Owner: l.Owner, Identifier: l.Identifier, Name: l.Name, Description: l.Description, Opens: l.Opens}
	for _, m := range l.Members {
		put.Members = append(put.Members, Member{Party: ReferenceTo(m.Party), Since: m.Since})
	}
	return put
}
