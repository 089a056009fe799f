package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// AttemptLifetime is how long a login may take.
const AttemptLifetime = 10 * time.Minute

const attemptPurpose = "attempt to log in"

// attempt is a login that a browser has begun. It is kept in a cookie of its own, sealed, so
// that tabs do not disturb each other and nobody fills a store by beginning logins.
type attempt struct {
	Provider string    `json:"provider"`
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Back     string    `json:"back"`
	ACR      []string  `json:"acr,omitempty"`
	Expires  time.Time `json:"expires"`
}

// Begun is a login that has begun.
type Begun struct {
	Location string       // where the browser logs in
	State    string       // names the attempt, and so its cookie
	Attempt  authn.Secret // the cookie
}

// Begin begins a login. back is where the browser comes from; acr asks for a level. The error
// is an Unavailable fault when the provider cannot be reached.
func (s *Service) Begin(ctx context.Context, name, back, locale string, acr []string) (Begun, error) {
	p, err := s.provider(name)
	if err != nil {
		return Begun{}, err
	}
	if acr, err = p.Reaching(acr); err != nil {
		return Begun{}, err
	}
	a := attempt{
		Provider: name, State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(),
		Back: Back(back, s.origins), ACR: p.ACR(acr), Expires: s.now().Add(AttemptLifetime),
	}
	text, err := json.Marshal(a)
	if err != nil {
		return Begun{}, fmt.Errorf("begin a login: %w", err)
	}
	location, err := p.Authorize(ctx, s.request(a, locale))
	if err != nil {
		return Begun{}, err
	}
	sealed := base64.RawURLEncoding.EncodeToString(s.ring.Seal(text, attemptPurpose))
	return Begun{Location: location, State: a.State, Attempt: authn.Secret(sealed)}, nil
}

func (s *Service) request(a attempt, locale string) provider.Request {
	return provider.Request{
		Redirect: s.origin() + "/callback/" + a.Provider, State: a.State, Nonce: a.Nonce, Verifier: a.Verifier,
		ACR: a.ACR, Locale: locale,
	}
}

// Answer is what a browser brings back from a provider.
type Answer struct {
	Provider string // by the path it came to, which each has of its own
	State    string
	Code     string
	Issuer   string // RFC 9207
	Error    string
	Attempt  authn.Secret // the cookie
}

// Entered is a browser that is logged in.
type Entered struct {
	Session authn.Secret
	Expires time.Time
	Back    string
}

// Finish ends a login. was is the session that the browser had before, which ends: its
// secret may be known to somebody else, and the new one is of another level or person.
func (s *Service) Finish(ctx context.Context, answer Answer, was authn.Secret) (Entered, error) {
	p, err := s.provider(answer.Provider)
	if err != nil {
		return Entered{}, err
	}
	a, err := s.attempt(answer)
	if err != nil {
		return Entered{}, err
	}
	// Before anything is sent: the code may be another provider's (mix-up).
	if err := p.CheckIssuer(ctx, answer.Issuer); err != nil {
		return Entered{}, err
	}
	first, err := s.store.Use(ctx, sha256.Sum256([]byte("state "+a.State)), s.now(), a.Expires)
	if err != nil {
		return Entered{}, err
	}
	if !first {
		return Entered{}, badAttempt()
	}
	if answer.Error != "" || answer.Code == "" {
		return Entered{}, fault.New(fault.Denied, provider.ReasonLoginRefused, "the identity provider has not let you in")
	}
	in, err := p.Exchange(ctx, s.request(a, ""), answer.Code)
	if err != nil {
		return Entered{}, err
	}
	return s.enter(ctx, p, in, a, was)
}

// attempt returns the login that an answer belongs to.
func (s *Service) attempt(answer Answer) (a attempt, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(string(answer.Attempt))
	if err != nil || answer.State == "" {
		return a, badAttempt()
	}
	text, err := s.ring.Open(sealed, attemptPurpose)
	if err != nil || json.Unmarshal(text, &a) != nil {
		return attempt{}, badAttempt()
	}
	same := subtle.ConstantTimeCompare([]byte(a.State), []byte(answer.State)) == 1
	if !same || a.Provider != answer.Provider || !s.now().Before(a.Expires) {
		return attempt{}, badAttempt()
	}
	return a, nil
}

func badAttempt() *fault.Error {
	return fault.New(fault.Invalid, ReasonAttemptInvalid, "this answer belongs to no login that this browser has begun; begin again")
}

// enter keeps a new session.
func (s *Service) enter(ctx context.Context, p *provider.Provider, in provider.LoggedIn, a attempt, was authn.Secret) (Entered, error) {
	secret, id := newSecret()
	sealed, err := s.seal(id, in.Tokens)
	if err != nil {
		return Entered{}, err
	}
	now := s.now()
	n := Session{
		ID: id, Provider: p.Name(), Issuer: p.Issuer(), Subject: in.Subject, SID: in.SID,
		Identity: Believed{Caller: in.Caller, Identity: *in.Identity},
		Tokens:   sealed, RenewAfter: renewAfter(in.Tokens), Expires: now.Add(s.lifetime), Seen: now,
	}
	// A token may have been given to a program. A session is a person's.
	if n.Identity.Caller.Kind != caller.User {
		return Entered{}, fault.New(fault.Denied, provider.ReasonLoginRefused, "the identity provider names no person")
	}
	if n.Party, err = s.chosenBefore(ctx, was, n); err != nil {
		return Entered{}, err
	}
	if err := s.store.PutSession(ctx, n, now); err != nil {
		return Entered{}, err
	}
	if old, ok := idOf(was); ok {
		if _, err := s.store.DeleteSession(ctx, old); err != nil {
			return Entered{}, err
		}
	}
	return Entered{Session: secret, Expires: n.Expires, Back: a.Back}, nil
}

// random returns 256 random bits.
func random() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}
