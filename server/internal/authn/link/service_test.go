package link_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// place is a service over real records. Users 7 and 8 are on record.
type place struct {
	*link.Service
	store    *records.Store
	recorded []link.Change
	full     bool // the audit's disk
}

func newPlace(t *testing.T) *place {
	t.Helper()
	store, err := records.Open(t.Context(), records.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p := &place{store: store}
	for _, user := range []int64{7, 8} {
		p.person(t, user, "")
	}
	p.Service, err = link.New(link.Config{
		Store: store, Exists: func(user int64) bool { return user == 7 || user == 8 },
		Record: func(_ context.Context, c link.Change) error {
			if p.full {
				return errors.New("no space left")
			}
			p.recorded = append(p.recorded, c)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// person puts a user on record.
func (p *place) person(t *testing.T, user int64, died string) {
	t.Helper()
	who := party.Party{ID: party.ID(user), UUID: fmt.Sprint(user), Kind: party.Person, UserID: party.UserID(user), DiedOn: died}
	if err := p.store.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error { return tx.PutParty(ctx, who, "test") }); err != nil {
		t.Fatal(err)
	}
}

func (p *place) want(t *testing.T, user int64) {
	t.Helper()
	if got, err := p.store.UserOfIdentity(t.Context(), "idp", "kari"); err != nil || got != user {
		t.Errorf("she is user %d, %v; want %d", got, err, user)
	}
}

// TestEveryChangeIsRecordedFirst links, links anew and unlinks, and does none of it when it
// cannot be recorded.
func TestEveryChangeIsRecordedFirst(t *testing.T) {
	p := newPlace(t)
	kari := func(user int64) link.Identity { return link.Identity{Issuer: "idp", Subject: "kari", User: user} }
	if _, err := p.Link(t.Context(), kari(9)); fault.KindOf(err) != fault.NotFound {
		t.Errorf("linked to a user who is not: %v", err)
	}
	p.full = true
	if _, err := p.Link(t.Context(), kari(7)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("linked without a record: %v", err)
	}
	p.want(t, 0)
	p.full = false
	for _, step := range []struct{ user, was int64 }{{7, 0}, {8, 7}, {8, 8}} {
		if was, err := p.Link(t.Context(), kari(step.user)); err != nil || was != step.was {
			t.Errorf("linked to %d: was %d, %v", step.user, was, err)
		}
		p.want(t, step.user)
	}
	p.full = true
	if _, err := p.Unlink(t.Context(), "idp", "kari"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("unlinked without a record: %v", err)
	}
	p.want(t, 8)
	p.full = false
	if was, err := p.Unlink(t.Context(), "idp", "kari"); err != nil || was != 8 {
		t.Errorf("unlinked: was %d, %v", was, err)
	}
	p.want(t, 0)
	if _, err := p.Unlink(t.Context(), "idp", "kari"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unlinked again: %v", err)
	}
	want := []link.Change{{Identity: kari(7)}, {Identity: kari(8), Was: 7}, {Identity: kari(0), Was: 8}}
	if diff := cmp.Diff(want, p.recorded); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

// TestUserGoneMeanwhile links to a user who was there when the service looked, and has died.
func TestUserGoneMeanwhile(t *testing.T) {
	p := newPlace(t)
	p.person(t, 7, "2026-01-02")
	_, err := p.Link(t.Context(), link.Identity{Issuer: "idp", Subject: "kari", User: 7})
	if f, is := errors.AsType[*fault.Error](err); !is || f.Reason != link.ReasonUserNotFound {
		t.Errorf("linked to a user who is gone: %v", err)
	}
	p.want(t, 0)
}

func TestPages(t *testing.T) {
	p := newPlace(t)
	for _, subject := range []string{"a", "b", "c"} {
		if _, err := p.Link(t.Context(), link.Identity{Issuer: "idp", Subject: subject, User: 7}); err != nil {
			t.Fatal(err)
		}
	}
	first, next, err := p.List(t.Context(), link.Query{User: 7, Limit: 2}, "")
	if err != nil || len(first) != 2 || next == "" {
		t.Fatalf("%v, %q, %v", first, next, err)
	}
	if rest, end, err := p.List(t.Context(), link.Query{User: 7, Limit: 2}, next); err != nil || len(rest) != 1 || rest[0].Subject != "c" || end != "" {
		t.Errorf("%v, %q, %v", rest, end, err)
	}
	for name, row := range map[string]struct {
		q     link.Query
		token string
	}{"a token that is none": {link.Query{Limit: 2}, "!"}, "another": {link.Query{Limit: 2}, "YWJj"}, "both": {link.Query{User: 7, Issuer: "idp", Limit: 2}, ""}} {
		if _, _, err := p.List(t.Context(), row.q, row.token); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
