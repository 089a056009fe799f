package session

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// seeEvery is how often the use of a session is noted: it costs a write.
const seeEvery = time.Minute

// seeTime is how long a request waits for that at most.
const seeTime = 5 * time.Second

// unused reports whether nobody has used a session for too long.
func (s *Service) unused(is Session) bool {
	return !is.Seen.IsZero() && s.now().Sub(is.Seen) > s.idle
}

// see notes that a session is used, once for however many requests come at a time. Where
// that fails the session may end too early, and the request goes on.
func (s *Service) see(ctx context.Context, is Session) {
	now, every := s.now(), min(seeEvery, s.idle/10)
	if now.Sub(is.Seen) < every {
		return
	}
	_, err, _ := s.notes.Do(string(is.ID[:]), func() (any, error) {
		// Those who wait must not fail because the first goes away. Who has read the session
		// before another noted its use comes late, and has nothing to add.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), seeTime)
		defer cancel()
		return nil, s.marks.SeeSession(ctx, is.ID, now, every/2)
	})
	if err != nil {
		s.logger.WarnContext(ctx, "the use of a session is not noted", "error", err)
	}
}

// Choose keeps for which party the holder of a session acts where a request does not say.
// Whether he may is the caller's to ask, and asked again at every use.
func (s *Service) Choose(ctx context.Context, secret authn.Secret, party int64) error {
	found, err := s.find(ctx, secret)
	if err != nil {
		return err
	}
	there, err := s.marks.ChooseParty(ctx, found.ID, party)
	switch {
	case err != nil:
		return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the choice cannot be kept now").Because(err)
	case !there: // it has ended meanwhile
		return ended()
	}
	return nil
}

// Back returns where a browser may be sent back to that comes from an address.
func (s *Service) Back(address string) string { return Back(address, s.origins) }

// chosenBefore returns what the same person has chosen in the session that a new one takes
// the place of: who steps up goes on acting for whom he did.
func (s *Service) chosenBefore(ctx context.Context, was authn.Secret, is Session) (party int64, err error) {
	old, err := s.find(ctx, was)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		return 0, nil
	case err != nil:
		return 0, err
	case old.Issuer != is.Issuer || old.Subject != is.Subject:
		return 0, nil
	}
	return old.Party, nil
}
