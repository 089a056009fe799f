package identity_test

import (
	"context"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/identity"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// registered is real records with what they say in memory. It numbers parties as it is told.
type registered struct {
	*party.Directory
	store *records.Store
	made  party.UserID // of the next party
	then  func()       // after a party is made; nil for nothing
}

func newRegistered(t *testing.T) *registered {
	t.Helper()
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &registered{Directory: party.NewDirectory(), store: store}
}

// PutParty implements identity.Register.
func (r *registered) PutParty(ctx context.Context, source string, p register.PartyRecord) (party.Party, relation.Revision, error) {
	made := party.Party{ID: party.ID(r.made), UUID: p.Key, Kind: p.Kind, Name: p.Name, UserID: r.made, Login: p.Login}
	if err := r.store.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.PutParty(ctx, made, source) }); err != nil {
		return party.Party{}, "", err
	}
	r.Apply([]party.Party{made}, nil)
	if r.then != nil {
		r.then()
	}
	return made, "", nil
}

// TestProvisionGivesWay has an administrator say who somebody is while a user is made of him.
func TestProvisionGivesWay(t *testing.T) {
	r := newRegistered(t)
	users, err := identity.New(identity.Config{Persons: r, Links: r.store, Register: r})
	if err != nil {
		t.Fatal(err)
	}
	kari := authn.Identity{Issuer: "idp", Subject: "kari", Provider: "idp", Provision: true}
	want := func(who authn.Identity, user int64) {
		t.Helper()
		for range 2 { // and at his next call
			if is, own, err := users.UserOf(t.Context(), who); is != user || own != user || err != nil {
				t.Errorf("user %d with party %d, %v, want %d", is, own, err, user)
			}
		}
	}
	r.made = 7
	if _, _, err := r.PutParty(t.Context(), "test", register.PartyRecord{Kind: party.Person, Name: "KARI", Key: "7"}); err != nil {
		t.Fatal(err)
	}
	r.made, r.then = 8, func() {
		if there, err := r.store.PutIdentity(t.Context(), "idp", "kari", 7); !there || err != nil {
			t.Error(there, err)
		}
	}
	want(kari, 7)
	r.made, r.then = 9, nil
	want(authn.Identity{Issuer: "idp", Subject: "ola", Provider: "idp", Provision: true}, 9)
}
