package session

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// revokeTime is how long a provider is waited for at a logout.
const revokeTime = 3 * time.Second

// End ends a session and returns where the browser logs out at the provider too, empty when
// it need not. A session that has ended already is no fault.
func (s *Service) End(ctx context.Context, secret authn.Secret) (location string, err error) {
	found, err := s.find(ctx, secret)
	if fault.KindOf(err) == fault.Unauthenticated {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	// Ours first: whatever the provider does, this browser is logged out here.
	if _, err := s.store.DeleteSession(ctx, found.ID); err != nil {
		return "", err
	}
	tokens, err := s.open(found)
	if err != nil {
		return "", nil //nolint:nilerr // the key is gone, and with it what would be told to the provider
	}
	p := s.providers[found.Provider]
	asking, cancel := context.WithTimeout(ctx, revokeTime)
	defer cancel()
	if err := p.Revoke(asking, tokens.Refresh); err != nil {
		s.logger.InfoContext(ctx, "a refresh token is not revoked", "provider", found.Provider, "error", err)
	}
	return p.LogoutURL(ctx, tokens.ID, s.origin()+"/signed-out", random()), nil
}

// EndByProvider ends the sessions that a provider's logout token names.
func (s *Service) EndByProvider(ctx context.Context, name string, token authn.Secret) error {
	p, err := s.provider(name)
	if err != nil {
		return err
	}
	logout, err := p.ReadLogout(ctx, token)
	if err != nil {
		return err
	}
	now := s.now()
	first, err := s.store.Use(ctx, sha256.Sum256([]byte("logout "+p.Issuer()+" "+logout.ID)), now, logout.Until)
	if err != nil {
		return err
	}
	if !first {
		return fault.New(fault.Invalid, fault.ReasonCredentialsInvalid, "the logout token has been used")
	}
	return s.store.EndSessions(ctx, p.Issuer(), logout.SID, logout.Subject)
}
