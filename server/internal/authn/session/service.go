package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// How long a session lasts, and how long unused, when a Config does not say.
const (
	DefaultLifetime = 8 * time.Hour
	DefaultIdle     = time.Hour
)

// Reasons.
const (
	// ReasonProviderNotFound is given when nobody logs in with a provider of the name.
	ReasonProviderNotFound fault.Reason = "PROVIDER_NOT_FOUND"
	// ReasonAttemptInvalid is given when an answer belongs to no login that this browser has
	// begun and not ended.
	ReasonAttemptInvalid fault.Reason = "LOGIN_ATTEMPT_INVALID"
)

// Config is what a Service needs.
type Config struct {
	Store     Store
	Leases    Leases
	Marks     Marks
	Ring      *Ring
	Providers []*provider.Provider
	Users     authn.Users
	// Origin returns scheme and host by which browsers know the server.
	Origin func() string
	// ReturnOrigins are those that a browser may be sent back to, beside this one.
	ReturnOrigins []string
	// Lifetime is how long a session lasts. Default DefaultLifetime.
	Lifetime time.Duration
	// Idle is how long a session lasts that nobody uses. Default DefaultIdle.
	Idle   time.Duration
	Logger *slog.Logger
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Service logs people in and out. It is safe for concurrent use.
type Service struct {
	store     Store
	leases    Leases
	marks     Marks
	ring      *Ring
	providers map[string]*provider.Provider
	names     []string
	users     authn.Users
	origin    func() string
	origins   []string
	lifetime  time.Duration
	idle      time.Duration
	logger    *slog.Logger
	now       func() time.Time
	renewals  singleflight.Group
	notes     singleflight.Group // of use
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Leases == nil || c.Marks == nil || c.Ring == nil || c.Origin == nil || c.Logger == nil {
		return nil, errors.New("sessions need a store, leases, marks, keys, an origin and a log")
	}
	s := &Service{
		store: c.Store, leases: c.Leases, marks: c.Marks, ring: c.Ring, providers: make(map[string]*provider.Provider),
		users: c.Users, origin: c.Origin, origins: c.ReturnOrigins, lifetime: c.Lifetime, idle: c.Idle, logger: c.Logger, now: c.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.lifetime <= 0 {
		s.lifetime = DefaultLifetime
	}
	if s.idle <= 0 {
		s.idle = DefaultIdle
	}
	for _, p := range c.Providers {
		if p.Entry().Login != nil {
			s.providers[p.Name()] = p
			s.names = append(s.names, p.Name())
		}
	}
	return s, nil
}

// Choice is a provider that people can log in with.
type Choice struct {
	Name  string
	Title map[string]string // by language
}

// Choices returns the providers that people can log in with, in the order of the file.
func (s *Service) Choices() []Choice {
	var all []Choice
	for _, name := range s.names {
		all = append(all, Choice{Name: name, Title: s.providers[name].Entry().Login.Title})
	}
	return all
}

func (s *Service) provider(name string) (*provider.Provider, error) {
	p, found := s.providers[name]
	if !found {
		return nil, fault.New(fault.NotFound, ReasonProviderNotFound, "there is no identity provider of this name")
	}
	return p, nil
}

// Caller returns whose session it is, renewed if it is time.
func (s *Service) Caller(ctx context.Context, secret authn.Secret) (caller.Caller, error) {
	found, err := s.find(ctx, secret)
	if err != nil {
		return caller.Caller{}, err
	}
	s.see(ctx, found)
	if !found.RenewAfter.IsZero() && !s.now().Before(found.RenewAfter) {
		if err := s.renew(ctx, found); err != nil {
			return caller.Caller{}, err
		}
	}
	who, err := authn.Resolve(ctx, s.users, authn.Verified{Caller: found.Identity.Caller, Identity: &found.Identity.Identity})
	who.Chosen = found.Party
	return who, err
}

// find returns a session that has not ended.
func (s *Service) find(ctx context.Context, secret authn.Secret) (Session, error) {
	id, ok := idOf(secret)
	if !ok {
		return Session{}, ended()
	}
	found, ok, err := s.store.Session(ctx, id)
	if err != nil {
		return Session{}, fault.New(fault.Unavailable, fault.ReasonUnavailable, "sessions cannot be read now").Because(err)
	}
	// A provider that has left the file vouches for nobody any more.
	if _, known := s.providers[found.Provider]; !ok || !known || !s.now().Before(found.Expires) {
		return Session{}, ended()
	}
	if s.unused(found) {
		return Session{}, s.end(ctx, found)
	}
	return found, nil
}

// ended returns the fault of a session that is not, whatever the cause: who guesses learns nothing.
func ended() *fault.Error {
	return fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "the session has ended")
}

// tokensPurpose keeps one session's tokens from being put into another's row.
func tokensPurpose(id ID) string { return "tokens of session " + string(id[:]) }

func (s *Service) seal(id ID, t provider.Tokens) ([]byte, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("seal the tokens of a session: %w", err)
	}
	return s.ring.Seal(text, tokensPurpose(id)), nil
}

func (s *Service) open(of Session) (t provider.Tokens, err error) {
	text, err := s.ring.Open(of.Tokens, tokensPurpose(of.ID))
	if err != nil {
		return t, fmt.Errorf("open the tokens of a session: %w", err)
	}
	return t, json.Unmarshal(text, &t)
}

// renewAfter is when tokens are asked for anew: not before those at hand end.
func renewAfter(t provider.Tokens) time.Time {
	if t.Refresh == "" || t.Expires.IsZero() {
		return time.Time{}
	}
	return t.Expires
}
