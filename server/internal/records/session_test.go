package records_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/link"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
)

func newSession(name, issuer, sid, subject string, expires time.Time) session.Session {
	return session.Session{
		ID: sha256.Sum256([]byte(name)), Provider: "idp", Issuer: issuer, Subject: subject, SID: sid,
		Identity: session.Believed{
			Caller:   caller.Caller{Kind: caller.User, Level: 3, Issuer: issuer, IssuedTo: subject, Groups: []string{"a"}},
			Identity: authn.Identity{Issuer: issuer, Subject: subject, PID: "07124912037"},
		},
		Tokens: []byte{0, 1, 2}, RenewAfter: expires.Add(-time.Minute), Expires: expires,
	}
}

func TestSessions(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx, now := t.Context(), time.Now().Truncate(time.Microsecond)
		there := func(n session.Session) bool {
			t.Helper()
			_, ok, err := s.Session(ctx, n.ID)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		one := newSession("1", "A", "s1", "kari", now.Add(time.Hour))
		all := []session.Session{
			one, newSession("2", "A", "s2", "kari", now.Add(time.Hour)), newSession("3", "B", "s1", "kari", now.Add(time.Hour)),
			newSession("4", "A", "s4", "ola", now.Add(time.Hour)),
		}
		for _, n := range append(all, newSession("old", "A", "s", "per", now.Add(-time.Second))) {
			if err := s.PutSession(ctx, n, now); err != nil {
				t.Fatal(err)
			}
		}
		got, ok, err := s.Session(ctx, one.ID)
		got.RenewAfter, got.Expires, got.HeldUntil = got.RenewAfter.Local(), got.Expires.Local(), time.Time{}
		if diff := cmp.Diff(one, got); diff != "" || !ok || err != nil {
			t.Errorf("%v, %v (-want +got):\n%s", ok, err, diff)
		}
		if err := s.PutSession(ctx, newSession("5", "A", "s5", "eva", now.Add(time.Hour)), now); err != nil || there(newSession("old", "", "", "", now)) {
			t.Errorf("a session that has ended is still there: %v", err)
		}
		// By the provider's session, then by the subject; never another issuer's.
		if err := s.EndSessions(ctx, "A", "s1", "kari"); err != nil || there(all[0]) || !there(all[1]) || !there(all[2]) {
			t.Errorf("ended s1 of A: %v", err)
		}
		if err := s.EndSessions(ctx, "A", "", "kari"); err != nil || there(all[1]) || !there(all[2]) || !there(all[3]) {
			t.Errorf("ended all of kari at A: %v", err)
		}
		if ended, err := s.DeleteSession(ctx, all[3].ID); err != nil || !ended || there(all[3]) {
			t.Errorf("ended one: %v, %v", ended, err)
		}
		if ended, err := s.DeleteSession(ctx, all[3].ID); err != nil || ended {
			t.Errorf("ended it again: %v, %v", ended, err)
		}
	})
}

// TestOneHolds has many try at once to hold a session, and one succeed.
func TestOneHolds(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx, now := t.Context(), time.Now()
		n := newSession("1", "A", "s1", "kari", now.Add(time.Hour))
		if err := s.PutSession(ctx, n, now); err != nil {
			t.Fatal(err)
		}
		var held atomic.Int64
		var wait sync.WaitGroup
		for i := range 16 {
			wait.Go(func() {
				ok, err := s.HoldSession(ctx, n.ID, 0, fmt.Sprint("holder ", i), now, now.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if ok {
					held.Add(1)
				}
			})
		}
		wait.Wait()
		if held.Load() != 1 {
			t.Fatalf("%d hold it", held.Load())
		}
		if ok, err := s.RenewSession(ctx, n.ID, "another", []byte("x"), now); ok || err != nil {
			t.Errorf("renewed by who does not hold it: %v, %v", ok, err)
		}
		// The holder is killed: after its time another holds, and the first can renew no more.
		later := now.Add(2 * time.Minute)
		if ok, err := s.HoldSession(ctx, n.ID, 0, "next", later, later.Add(time.Minute)); !ok || err != nil {
			t.Fatalf("held after its time: %v, %v", ok, err)
		}
		if ok, err := s.RenewSession(ctx, n.ID, "next", []byte("new"), later); !ok || err != nil {
			t.Fatalf("renewed: %v, %v", ok, err)
		}
		if got, _, err := s.Session(ctx, n.ID); err != nil || got.Version != 1 || got.Holder != "" || string(got.Tokens) != "new" {
			t.Errorf("renewed: %+v, %v", got, err)
		}
		if ok, err := s.HoldSession(ctx, n.ID, 0, "late", later, later.Add(time.Minute)); ok || err != nil {
			t.Errorf("held by who saw the version before: %v, %v", ok, err)
		}
	})
}

func TestUsedOnce(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx, now := t.Context(), time.Now()
		hash := sha256.Sum256([]byte("x"))
		var first atomic.Int64
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				ok, err := s.Use(ctx, hash, now, now.Add(time.Minute))
				if err != nil {
					t.Error(err)
				}
				if ok {
					first.Add(1)
				}
			})
		}
		wait.Wait()
		if first.Load() != 1 {
			t.Errorf("used for the first time %d times", first.Load())
		}
		// What is refused for its age anyway is forgotten.
		if ok, err := s.Use(ctx, hash, now.Add(time.Hour), now.Add(2*time.Hour)); !ok || err != nil {
			t.Errorf("an hour later: %v, %v", ok, err)
		}
	})
}

func TestIdentities(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		for _, put := range []int64{7, 8} {
			if err := s.PutIdentity(ctx, "A", "kari", put); err != nil {
				t.Fatal(err)
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

// TestListOfIdentities lists links a page at a time, and takes them back.
func TestListOfIdentities(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		const big = 1 << 40
		for i, l := range []link.Identity{{Issuer: "B", Subject: "a", User: 7}, {Issuer: "A", Subject: "å", User: big}, {Issuer: "A", Subject: "b", User: 7}} {
			if err := s.PutIdentity(ctx, l.Issuer, l.Subject, l.User); err != nil {
				t.Fatal(i, err)
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

// TestUseOfSessions keeps a choice of party and the last use.
func TestUseOfSessions(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx, now := t.Context(), time.Now().Truncate(time.Microsecond)
		n := newSession("1", "A", "s1", "kari", now.Add(time.Hour))
		n.Seen = now
		if err := s.PutSession(ctx, n, now); err != nil {
			t.Fatal(err)
		}
		if there, err := s.ChooseParty(ctx, n.ID, 1<<40); !there || err != nil {
			t.Errorf("chosen: %v, %v", there, err)
		}
		for _, at := range []time.Duration{time.Minute, time.Second} { // the later one stays
			if err := s.SeeSession(ctx, n.ID, now.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		if got, _, err := s.Session(ctx, n.ID); err != nil || got.Party != 1<<40 || !got.Seen.Equal(now.Add(time.Minute)) {
			t.Errorf("%+v, %v", got, err)
		}
		if there, err := s.ChooseParty(ctx, newSession("2", "", "", "", now).ID, 1); there || err != nil {
			t.Errorf("chosen in a session that is not: %v, %v", there, err)
		}
	})
}

// TestLoginsGoWithTheirUser deletes a person, whose number may be another's one day.
func TestLoginsGoWithTheirUser(t *testing.T) {
	stores(t, func(t *testing.T, s *records.Store) {
		ctx := t.Context()
		for id, user := range map[party.ID]party.UserID{11: 7, 12: 8} {
			kari := party.Party{ID: id, UUID: fmt.Sprintf("6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d0%d", id), Kind: party.Person, Name: "KARI", UserID: user}
			err := s.Write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.PutParty(ctx, kari, "test") })
			if err := errors.Join(err, s.PutIdentity(ctx, "idp", kari.UUID, int64(user))); err != nil {
				t.Fatal(err)
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
