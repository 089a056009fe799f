package session

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

const (
	// leaseTime is how long one server may take to renew a session before another tries.
	leaseTime = 15 * time.Second
	// renewTime is how long the provider is waited for: shorter than the lease by more than
	// the clocks of the servers may differ, so that no two of them send one refresh token.
	renewTime = 8 * time.Second
	// leasePause is how long a server waits before it looks whether another has renewed.
	leasePause = 50 * time.Millisecond
)

// renew has the provider renew a session that is due, once for however many requests wait
// for it on however many servers. Providers that rotate refresh tokens take a second use of one
// for theft.
func (s *Service) renew(ctx context.Context, due Session) error {
	renewed := s.renewals.DoChan(string(due.ID[:]), func() (_ any, err error) {
		defer func() { // in a goroutine of its own, where a panic ends the process
			if p := recover(); p != nil {
				err = fmt.Errorf("panic while a session was renewed: %v", p)
			}
		}()
		// Those who wait must not fail because the first goes away.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*leaseTime)
		defer cancel()
		return nil, s.renewOnce(ctx, due)
	})
	select {
	case r := <-renewed:
		return r.Err
	case <-ctx.Done(): // who asks waits no more; the renewal goes on for who comes next
		return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the session is being renewed").Because(ctx.Err())
	}
}

// renewOnce renews the session or waits until another server has.
func (s *Service) renewOnce(ctx context.Context, due Session) error {
	holder := rand.Text()
	for {
		now := s.now()
		held, err := s.leases.HoldSession(ctx, due.ID, due.Version, holder, now, now.Add(leaseTime))
		if err != nil {
			return err
		}
		if held {
			return s.exchange(ctx, due, holder)
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the session cannot be renewed now").Because(ctx.Err())
		case <-time.After(leasePause):
		}
		is, ok, err := s.store.Session(ctx, due.ID)
		switch {
		case err != nil:
			return err
		case !ok:
			return ended()
		case is.Version != due.Version:
			return nil
		}
	}
}

// exchange renews a session that the holder holds.
func (s *Service) exchange(ctx context.Context, due Session, holder string) error {
	tokens, err := s.open(due)
	if err != nil {
		return s.end(ctx, due) // by a key that is gone
	}
	asking, cancel := context.WithTimeout(ctx, renewTime)
	fresh, err := s.providers[due.Provider].Refresh(asking, tokens)
	cancel()
	if fault.KindOf(err) == fault.Unauthenticated {
		return s.end(ctx, due)
	}
	if err != nil {
		// The provider does not answer. The session goes on until its own end, and is tried
		// again when somebody asks in a while.
		s.logger.WarnContext(ctx, "a session is not renewed", "provider", due.Provider, "error", err)
		kept, err := s.leases.RenewSession(ctx, due.ID, holder, due.Tokens, s.now().Add(provider.KeysInterval))
		if err == nil && !kept {
			err = s.stands(ctx, due.ID)
		}
		return err
	}
	return s.keep(ctx, due.ID, holder, fresh)
}

// keep keeps what the provider has given, before anything relies on it. It tries for as long
// as the session is held: the old refresh token is worth nothing any more, and to send it again
// would look like theft.
func (s *Service) keep(ctx context.Context, id ID, holder string, fresh provider.Tokens) error {
	sealed, err := s.seal(id, fresh)
	if err != nil {
		return err
	}
	held := time.After(leaseTime - renewTime)
	for {
		kept, err := s.leases.RenewSession(ctx, id, holder, sealed, renewAfter(fresh))
		if err == nil && !kept {
			return s.stands(ctx, id)
		}
		if err == nil {
			return nil
		}
		select {
		case <-held:
			return err
		case <-time.After(leasePause):
		}
	}
}

// stands fails if a session has ended, by a logout that came while it was renewed.
func (s *Service) stands(ctx context.Context, id ID) error {
	_, there, err := s.store.Session(ctx, id)
	if err == nil && !there {
		err = ended()
	}
	return err
}

// end ends a session that its provider has ended.
func (s *Service) end(ctx context.Context, of Session) error {
	if _, err := s.store.DeleteSession(ctx, of.ID); err != nil {
		return err
	}
	return ended()
}
