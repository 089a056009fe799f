package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/gateway/login"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/certificate"
	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/authn/session"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/identity"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/register"
	sessionrpc "github.com/behalf-authz/behalf/server/internal/rpc/session"
)

// LoginConfig says whose word is taken for who somebody is, beside the server's own.
type LoginConfig struct {
	// IssuersFile names the identity providers and what each is believed for, how long
	// sessions last, and services that are known by certificates. Without it there are none.
	IssuersFile string
	// SessionKeysFile holds the keys that seal what sessions hold, for servers that share a
	// database. Default: session.keys in the data directory, which the server makes and renews.
	SessionKeysFile string
}

// Validate returns every fault of c joined, nil when there is none.
func (c LoginConfig) Validate() error {
	var faults []error
	if c.IssuersFile != "" {
		if _, err := provider.Load(c.IssuersFile); err != nil {
			faults = append(faults, fmt.Errorf("--issuers: %w", err))
		}
	}
	if c.SessionKeysFile != "" {
		if _, err := readRing(c.SessionKeysFile); err != nil {
			faults = append(faults, fmt.Errorf("--session-keys: %w", err))
		}
	}
	return errors.Join(faults...)
}

func readRing(path string) (*session.Ring, error) {
	text, err := authn.ReadSessionKeys(path)
	if err != nil {
		return nil, err
	}
	return session.ParseRing(text)
}

// lateUsers are users that are known once the register is.
type lateUsers struct{ *identity.Users }

// logins are the identity providers of the issuers file, and the sessions of who logged in there.
type logins struct {
	providers    []*provider.Provider
	certificates certificate.Callers
	sessions     *session.Service
	users        *lateUsers
}

// openLogins opens the issuers file. Whom somebody logged in is, is known after users is set.
func (s *Server) openLogins() (*logins, error) {
	l := &logins{users: &lateUsers{}}
	var file provider.File
	if s.cfg.Login.IssuersFile != "" {
		var err error
		if file, err = provider.Load(s.cfg.Login.IssuersFile); err != nil {
			return nil, fmt.Errorf("--issuers: %w", err)
		}
	}
	if err := s.checkCertificates(file.Certificates); err != nil {
		return nil, fmt.Errorf("--issuers: %w", err)
	}
	l.certificates = certificate.New(file.Certificates)
	for _, entry := range file.Issuers {
		if entry.Issuer == authn.DefaultIssuer || entry.Issuer == authn.PlatformIssuer {
			return nil, fmt.Errorf("--issuers: issuers.%s: the issuer %s is the server's own", entry.Name, entry.Issuer)
		}
		p, err := provider.New(provider.Config{Entry: entry, Logger: s.cfg.Logger})
		if err != nil {
			return nil, fmt.Errorf("--issuers: %w", err)
		}
		l.providers = append(l.providers, p)
		s.loginOffered = s.loginOffered || entry.Login != nil
	}
	ring, err := s.openRing()
	if err != nil {
		return nil, err
	}
	l.sessions, err = session.New(session.Config{
		Store: s.records, Leases: s.records, Marks: s.records, Ring: ring, Providers: l.providers, Users: l.users,
		Origin: s.origin, ReturnOrigins: file.ReturnOrigins, Logger: s.cfg.Logger,
		Lifetime: time.Duration(file.Sessions.Lifetime), Idle: time.Duration(file.Sessions.Idle),
	})
	return l, err
}

// checkCertificates returns why services cannot be known by certificates. One of a gateway,
// which passes on what anybody sends it, must not vouch for all that it sends.
func (s *Server) checkCertificates(entries []certificate.Entry) error {
	if len(entries) > 0 && s.cfg.TLS.ClientCAFile == "" {
		return errors.New("certificates need --tls-client-ca, which says who signs them")
	}
	for _, e := range entries {
		if slices.Contains(s.cfg.Enforcement.TrustedCertificates, e.Name) {
			return fmt.Errorf("certificates: %s is a gateway by --trusted-certificates, and no service besides", e.Name)
		}
	}
	return nil
}

func (s *Server) openRing() (*session.Ring, error) {
	if s.cfg.Login.SessionKeysFile != "" {
		return readRing(s.cfg.Login.SessionKeysFile)
	}
	text, err := authn.OpenSessionKeys(s.cfg.DataDir, func(text []byte) ([]byte, bool) {
		return session.NextRing(text, time.Now())
	})
	if err != nil {
		return nil, err
	}
	return session.ParseRing(text)
}

// trust adds the providers to what an authenticator trusts.
func (l *logins) trust(c authn.Config) authn.Config {
	for _, p := range l.providers {
		c.Verifiers = append(c.Verifiers, p)
		if p.Introspects() {
			c.Opaque = p
		}
	}
	c.Users, c.Sessions = l.users, l.sessions
	return c
}

// manager returns the authentication manager of others that gateways' requests are asked
// about, nil when the file names none.
func (l *logins) manager(catchUp func(context.Context) error) enforce.Manager {
	for _, p := range l.providers {
		if p.Manages() {
			return manager{p, l.users, catchUp}
		}
	}
	return nil
}

// manager asks an authentication manager who somebody is, and which user that is.
type manager struct {
	provider *provider.Provider
	users    authn.Users
	catchUp  func(context.Context) error
}

// Ask implements enforce.Manager.
func (m manager) Ask(ctx context.Context, header func(string) []string) (caller.Caller, error) {
	v, found, err := m.provider.Ask(ctx, header)
	if err != nil || !found {
		return caller.Caller{}, err
	}
	if err := m.catchUp(ctx); err != nil {
		return caller.Caller{}, err
	}
	v.Caller.Managed = true
	return authn.Resolve(ctx, m.users, v)
}

// knowUsers has logins know users by the register.
func (s *Server) knowUsers(l *logins, writes *register.Service) (err error) {
	l.users.Users, err = identity.New(identity.Config{Persons: s.directory, Links: s.records, Register: writes})
	return err
}

// newSessions returns the service for browsers' sessions.
func (s *Server) newSessions(l *logins, parties *party.Service) (*sessionrpc.Server, error) {
	return sessionrpc.New(sessionrpc.Config{Sessions: followingSessions{l.sessions, s.catchUp}, Choices: l.sessions, Parties: parties})
}

// origin is scheme and host by which browsers know the server.
func (s *Server) origin() string {
	switch {
	case s.cfg.PublicURL != "":
		return s.cfg.PublicURL
	case s.cfg.TLS.enabled():
		return "https://" + s.HTTPAddr()
	}
	return "http://" + s.HTTPAddr()
}

// loginOrigin is scheme and host where browsers log in, empty when nobody can.
func (s *Server) loginOrigin() string {
	if !s.loginOffered {
		return ""
	}
	return s.origin()
}

// sessionCookie is the name of the cookie of a browser's session.
func (s *Server) sessionCookie() string {
	if s.cfg.PublicURL != "" || s.cfg.TLS.enabled() {
		return authn.SessionCookie
	}
	return authn.InsecureSessionCookie
}

// loginDoors says how the gateway serves logins.
func (s *Server) loginDoors() login.Config {
	return login.Config{
		Identity: s.gatewayIdentity.authorization(), Origin: s.origin, Cookie: s.sessionCookie(),
		Peers: s.cfg.Enforcement.TrustedPeers, Certificates: s.cfg.Enforcement.TrustedCertificates,
	}
}
