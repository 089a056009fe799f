package enforce

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// TokenIssuer is the iss of identity tokens unless the routes file says otherwise. It is none
// that tokens of calls have: a service that gets one cannot call us as the user with it.
const TokenIssuer = authn.DefaultIssuer + "/identity"

// How long an identity token is valid: long enough for a request to be answered.
const (
	defaultTokenLifetime = time.Minute
	minTokenLifetime     = 5 * time.Second
	maxTokenLifetime     = 10 * time.Minute
)

// maxReuse is how long a token is used again for requests of which it says the same: a page
// asks for many things at once, and a signature costs more than all else about a request.
const maxReuse = 5 * time.Second

// Signer signs tokens with a key whose public half is published.
type Signer interface {
	// Sign returns a token with the claims, and a jti of its own.
	Sign(claims map[string]any) (string, error)
}

// tokenText is what the routes file says of the identity token.
type tokenText struct {
	Header   string `yaml:"header"`
	Issuer   string `yaml:"issuer"`
	Audience string `yaml:"audience"`
	Lifetime string `yaml:"lifetime"`
}

// identityToken is a signed statement of who asks, which a service can verify however the
// request has come to it.
type identityToken struct {
	issuer   string
	audience string // empty for the origin that was asked
	lifetime time.Duration
	signed   signedTokens
}

// compileToken returns the header that carries the token.
func compileToken(t tokenText) (h identityHeader, faults []error) {
	h.name = "Behalf-Identity"
	if t.Header != "" {
		h.name = t.Header
	}
	h.token = &identityToken{issuer: TokenIssuer, audience: t.Audience, lifetime: defaultTokenLifetime}
	if t.Issuer != "" {
		h.token.issuer = t.Issuer
	}
	if slices.Contains([]string{authn.DefaultIssuer, authn.PlatformIssuer}, t.Issuer) {
		faults = append(faults, fmt.Errorf("identity: token: %q issues tokens of calls", t.Issuer))
	}
	if t.Lifetime != "" {
		var err error
		h.token.lifetime, err = time.ParseDuration(t.Lifetime)
		if err != nil || h.token.lifetime < minTokenLifetime || h.token.lifetime > maxTokenLifetime {
			faults = append(faults, fmt.Errorf("identity: token: lifetime %q must be %s to %s", t.Lifetime, minTokenLifetime, maxTokenLifetime))
		}
	}
	return h, faults
}

// sign returns the token of a request that is let in, empty when nobody is known.
func (t *identityToken) sign(q *question) (string, error) {
	if q.who.Kind == caller.Nobody {
		return "", nil
	}
	if q.service.signer == nil {
		return "", errors.New("nothing signs identity tokens")
	}
	claims := map[string]any{"iss": t.issuer, "aud": t.audience, "sub": subject(q.who)}
	if t.audience == "" {
		claims["aud"] = q.request.Scheme + "://" + q.request.Host
	}
	put := func(name string, value any, there bool) {
		if there {
			claims[name] = value
		}
	}
	put("user", q.who.UserID, q.who.Kind == caller.User && q.who.UserID > 0)
	put("level", q.who.Level, q.who.Kind == caller.User)
	put("groups", q.who.Groups, len(q.who.Groups) > 0)
	put("permissions", q.who.Permissions, len(q.who.Permissions) > 0)
	put("idp", q.who.Issuer, q.who.Issuer != "")
	put("party_id", int64(q.party.ID), q.party.ID > 0)
	put("party_uuid", q.party.UUID, q.party.UUID != "")
	put("party_org", q.party.OrgNumber, q.party.OrgNumber != "")
	return t.signed.get(claims, time.Now(), min(maxReuse, t.lifetime/4), func(now time.Time) (string, error) {
		claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(t.lifetime).Unix()
		text, err := q.service.signer.Sign(claims)
		if err != nil {
			return "", fmt.Errorf("sign the identity token: %w", err)
		}
		return text, nil
	})
}

// subject names whoever asks so that no service and no stranger is taken for a user.
func subject(who caller.Caller) string {
	switch {
	case who.Kind == caller.Service:
		return "service:" + who.Name
	case who.UserID > 0:
		return "user:" + userID(who)
	}
	return "subject:" + who.Issuer + "#" + who.IssuedTo
}
