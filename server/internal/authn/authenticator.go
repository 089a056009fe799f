package authn

import (
	"context"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// DefaultRemembered is how many verified tokens are remembered when a Config does not say.
const DefaultRemembered = 10_000

// Config is what an Authenticator needs.
type Config struct {
	// Verifiers verify the tokens, one for each issuer. With none, no token is valid.
	Verifiers []Verifier
	// Keys verifies API keys. Without it, none is valid.
	Keys *Keys
	// Opaque is asked about tokens that are none of the issuers' to the eye. May be nil.
	Opaque Introspector
	// Users tells which user an identity is. Without it, none is.
	Users Users
	// Sessions tells whose a session is. Without it, none is valid.
	Sessions Sessions
	// Remembered is how many verified tokens are remembered; 0 means DefaultRemembered.
	Remembered int
}

// Authenticator establishes callers. It is safe for concurrent use.
type Authenticator struct {
	verifiers map[string]Verifier
	keys      *Keys
	opaque    Introspector
	users     Users
	sessions  Sessions
	tokens    *cache
}

// New returns an authenticator.
func New(c Config) (*Authenticator, error) {
	verifiers, err := byIssuer(c.Verifiers)
	if err != nil {
		return nil, err
	}
	if c.Remembered <= 0 {
		c.Remembered = DefaultRemembered
	}
	return &Authenticator{
		verifiers: verifiers, keys: c.Keys, tokens: newCache(c.Remembered),
		opaque: c.Opaque, users: c.Users, sessions: c.Sessions,
	}, nil
}

// Authenticate returns the caller whose token or API key it is. The error is an
// Unauthenticated fault: CREDENTIALS_MISSING for an empty text, else CREDENTIALS_INVALID.
func (a *Authenticator) Authenticate(ctx context.Context, s Secret) (caller.Caller, error) {
	switch {
	case s == "":
		return caller.Caller{}, fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
	case len(s) > maxSecret:
		return caller.Caller{}, invalid("the credentials are longer than 16 KiB")
	case !strings.HasPrefix(string(s), keyPrefix):
		return a.token(ctx, s)
	case a.keys == nil:
		return caller.Caller{}, invalid(noSuchKey)
	}
	return a.keys.verify(s, time.Now())
}

// token returns who bears a token, from memory when it has been verified before.
func (a *Authenticator) token(ctx context.Context, s Secret) (caller.Caller, error) {
	now := time.Now()
	if v, found := a.tokens.get(s, now); found {
		return a.known(ctx, v)
	}
	if a.opaque != nil && strings.Count(string(s), ".") != 2 {
		v, err := a.opaque.Introspect(ctx, s)
		if err != nil {
			return caller.Caller{}, err
		}
		return a.known(ctx, v)
	}
	issuer, err := issuerOf(s)
	if err != nil {
		return caller.Caller{}, err
	}
	verifier, known := a.verifiers[issuer]
	if !known {
		return caller.Caller{}, invalid("the token is of an issuer that is not trusted here")
	}
	// Read before the token is verified: a key that goes meanwhile makes the entry void.
	generation := verifier.Generation()
	v, err := verifier.Verify(ctx, s)
	if err != nil {
		return caller.Caller{}, err
	}
	a.tokens.put(s, entry{Verified: v, verifier: verifier, generation: generation}, now)
	return a.known(ctx, v)
}
