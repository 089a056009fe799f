package records_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// putPersons puts persons on record, who have the users and numbers of parties after them.
func putPersons(t *testing.T, s *records.Store, users ...party.UserID) {
	t.Helper()
	err := s.Write(t.Context(), func(ctx context.Context, tx *records.Tx) error {
		for _, user := range users {
			if err := tx.PutParty(ctx, person(party.ID(user)+4, user), "test"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func person(id party.ID, user party.UserID) party.Party {
	return party.Party{ID: id, UUID: fmt.Sprintf("6f0b1d3e-2a55-4c07-9f4e-%012d", id), Kind: party.Person, Name: "KARI", UserID: user}
}

func TestIdentities(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		putPersons(t, s, 7, 8)
		for _, put := range []int64{7, 8} {
			if there, err := s.PutIdentity(ctx, "A", "kari", put); !there || err != nil {
				t.Fatal(there, err)
			}
			if got, err := s.UserOfIdentity(ctx, "A", "kari"); err != nil || got != put {
				t.Errorf("user %d, %v, want %d", got, err, put)
			}
		}
		if got, err := s.UserOfIdentity(ctx, "B", "kari"); err != nil || got != 0 {
			t.Errorf("of another issuer: %d, %v", got, err)
		}
	})
}

// TestAddedIdentitiesGiveWay has what a server adds give way to what somebody has said.
func TestAddedIdentitiesGiveWay(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		putPersons(t, s, 7, 8)
		if _, err := s.PutIdentity(ctx, "A", "said", 7); err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			subject    string
			user, want int64
		}{{"new", 8, 8}, {"new", 7, 8}, {"said", 8, 7}, {"nobody", 9, 0}} {
			if is, err := s.AddIdentity(ctx, "A", row.subject, row.user); is != row.want || err != nil {
				t.Errorf("%s is user %d, %v, want %d", row.subject, is, err, row.want)
			}
			if is, err := s.UserOfIdentity(ctx, "A", row.subject); is != row.want || err != nil {
				t.Errorf("%s is kept as user %d, %v, want %d", row.subject, is, err, row.want)
			}
		}
	})
}

// TestNoLoginIsOfNobody keeps no login of a user who is not on record, or is dead.
func TestNoLoginIsOfNobody(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		dead := person(12, 8)
		dead.DiedOn = "2026-01-02"
		if err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.PutParty(ctx, dead, "test") }); err != nil {
			t.Fatal(err)
		}
		for _, user := range []int64{0, 7, 8} {
			if there, err := s.PutIdentity(ctx, "A", "kari", user); there || err != nil {
				t.Errorf("user %d: %v, %v", user, there, err)
			}
		}
		if left, err := s.Identities(ctx, link.Query{Limit: 10}); err != nil || len(left) != 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

// TestLoginsFollowTheirUser gives persons other numbers.
func TestLoginsFollowTheirUser(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		putPersons(t, s, 7, 8, 9)
		for _, user := range []int64{7, 8, 9} {
			if _, err := s.PutIdentity(ctx, "A", fmt.Sprint("sub", user), user); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			id       party.ID
			was, now party.UserID
		}{{11, 7, 70}, {13, 9, 0}, {14, 0, 8}} {
			err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.SetHolderUser(ctx, c.id, c.was, c.now) })
			if err != nil {
				t.Fatal(err)
			}
		}
		left, err := s.Identities(ctx, link.Query{Limit: 10})
		if diff := cmp.Diff([]link.Identity{{Issuer: "A", Subject: "sub7", User: 70}, {Issuer: "A", Subject: "sub8", User: 8}}, left); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// TestLoginsMoveToAnotherUser joins the logins of one user to those of another.
func TestLoginsMoveToAnotherUser(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		putPersons(t, s, 7, 8, 9)
		for _, user := range []int64{7, 8, 9} {
			if _, err := s.PutIdentity(ctx, "A", fmt.Sprint("sub", user), user); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			from, to party.UserID
			has      int // the receiver, afterwards
		}{{7, 8, 2}, {0, 8, 2}, {9, 0, 0}} {
			err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.MoveLogins(ctx, c.from, c.to) })
			if err != nil {
				t.Fatal(err)
			}
			err = s.Read(ctx, func(tx *records.Tx) error {
				n, err := tx.Logins(ctx, c.to)
				if n != c.has {
					t.Errorf("user %d has %d logins after those of %d, want %d", c.to, n, c.from, c.has)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		left, err := s.Identities(ctx, link.Query{Limit: 10})
		if diff := cmp.Diff([]link.Identity{{Issuer: "A", Subject: "sub7", User: 8}, {Issuer: "A", Subject: "sub8", User: 8}}, left); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// TestListOfIdentities lists links a page at a time, and takes them back.
func TestListOfIdentities(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		const big = 1 << 40
		putPersons(t, s, 7, big)
		for i, l := range []link.Identity{{Issuer: "B", Subject: "a", User: 7}, {Issuer: "A", Subject: "å", User: big}, {Issuer: "A", Subject: "b", User: 7}} {
			if there, err := s.PutIdentity(ctx, l.Issuer, l.Subject, l.User); !there || err != nil {
				t.Fatal(i, there, err)
			}
		}
		list := func(q link.Query) (out string) {
			t.Helper()
			for q.Limit = 1; ; {
				page, err := s.Identities(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					return out
				}
				out += page[0].Issuer + page[0].Subject + " "
				q.After = page[0]
			}
		}
		for _, row := range []struct {
			q    link.Query
			want string
		}{
			{link.Query{}, "Ab Aå Ba "}, {link.Query{User: 7}, "Ab Ba "}, {link.Query{User: big}, "Aå "}, {link.Query{User: 8}, ""},
			{link.Query{Issuer: "A"}, "Ab Aå "}, {link.Query{Issuer: "C"}, ""},
		} {
			if got := list(row.q); got != row.want {
				t.Errorf("%+v: %q, want %q", row.q, got, row.want)
			}
		}
		for _, was := range []bool{true, false} {
			if got, err := s.DeleteIdentity(ctx, "A", "b"); err != nil || got != was {
				t.Errorf("taken back: %v, %v", got, err)
			}
		}
		if got := list(link.Query{}); got != "Aå Ba " {
			t.Errorf("left: %q", got)
		}
	})
}

// TestLoginsGoWithTheirUser deletes a person, whose number may be another's one day.
func TestLoginsGoWithTheirUser(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		putPersons(t, s, 7, 8)
		for _, user := range []int64{7, 8} {
			if there, err := s.PutIdentity(ctx, "idp", fmt.Sprint(user), user); !there || err != nil {
				t.Fatal(there, err)
			}
		}
		if err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.DeleteParty(ctx, 11) }); err != nil {
			t.Fatal(err)
		}
		left, err := s.Identities(ctx, link.Query{Limit: 10})
		if err != nil || len(left) != 1 || left[0].User != 8 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}
