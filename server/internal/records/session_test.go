package records_test

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/caller"
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
		for _, at := range []time.Duration{time.Minute, time.Second, time.Minute + 20*time.Second} { // which is noted already
			if err := s.SeeSession(ctx, n.ID, now.Add(at), 30*time.Second); err != nil {
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
