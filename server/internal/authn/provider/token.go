package provider

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // case-sensitive, and refuses a key that comes twice

	"github.com/behalf-authz/behalf/server/internal/authn"
)

// Verify returns whom a bearer token of the issuer names, and until when.
func (p *Provider) Verify(ctx context.Context, text authn.Secret) (authn.Verified, error) {
	if p.entry.Bearer == nil {
		return authn.Verified{}, refused("tokens of this issuer are not credentials of calls")
	}
	payload, header, err := p.keys.verify(ctx, string(text))
	if err != nil {
		return authn.Verified{}, err
	}
	if err := p.checkType(header); err != nil {
		return authn.Verified{}, err
	}
	// Claims are read only now that the signature has shown whose they are.
	c, err := readClaims(payload)
	if err != nil {
		return authn.Verified{}, err
	}
	if err := p.current(c, p.now()); err != nil {
		return authn.Verified{}, err
	}
	if c.Issuer != p.entry.Issuer {
		return authn.Verified{}, refused("the token is of another issuer")
	}
	if !p.entry.Bearer.AnyAudience && !slices.ContainsFunc(c.Audience, p.meant(p.entry.Bearer.Audiences)) {
		return authn.Verified{}, refused("the token is meant for somebody else")
	}
	if c.isOther() {
		return authn.Verified{}, refused("the token is no access token")
	}
	if c.Bound != nil {
		return authn.Verified{}, errBound()
	}
	who, err := p.identity(c)
	if err != nil {
		return authn.Verified{}, err
	}
	return authn.Verified{Caller: who.Caller, Identity: &who.Identity, Expires: c.Expires.Time}, nil
}

func (p *Provider) meant(audiences []string) func(string) bool {
	return func(a string) bool { return slices.Contains(audiences, a) }
}

// checkType refuses tokens that say they are something else than what opens an API.
func (p *Provider) checkType(header jose.Header) error {
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	want := strings.TrimPrefix(strings.ToLower(p.entry.Bearer.Type), "application/")
	if want != "" && typ != want || want == "" && typ != "" && typ != "jwt" && typ != "at+jwt" {
		return refused("the token's typ is not that of an access token")
	}
	return nil
}

// claims are those that do not depend on the entry, and all of them by name.
type claims struct {
	Issuer    string           `json:"iss"`
	Subject   string           `json:"sub"`
	Audience  audience         `json:"aud"`
	Party     string           `json:"azp"`
	ClientID  string           `json:"client_id"`
	Expires   *authn.Instant   `json:"exp"`
	NotBefore *authn.Instant   `json:"nbf"`
	IssuedAt  *authn.Instant   `json:"iat"`
	AuthTime  *authn.Instant   `json:"auth_time"`
	Nonce     *string          `json:"nonce"`
	Session   string           `json:"sid"`
	ID        string           `json:"jti"`
	ACR       string           `json:"acr"`
	AMR       audience         `json:"amr"`
	AtHash    *string          `json:"at_hash"`
	CHash     *string          `json:"c_hash"`
	Events    *json.RawMessage `json:"events"`
	Bound     *json.RawMessage `json:"cnf"`

	all map[string]json.RawMessage
}

func readClaims(payload []byte) (*claims, error) {
	var c claims
	if json.Unmarshal(payload, &c) != nil || json.Unmarshal(payload, &c.all) != nil {
		return nil, refused("the token's claims are malformed")
	}
	return &c, nil
}

// isOther reports whether the claims are those of an id_token or of a logout token. Both are
// signed by the same key, and neither was given to open an API.
func (c *claims) isOther() bool {
	return c.Nonce != nil || c.AtHash != nil || c.CHash != nil || c.Events != nil
}

// errBound returns the fault of a token that is bound to a key or a certificate (RFC 7800).
// Whoever bears it does not show here that he has that, so he may have stolen the token.
func errBound() error {
	return refused("the token is bound to a key, and is not taken from whoever bears it")
}

// audience is a string or a list of strings.
type audience []string

// UnmarshalJSON reads either.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		err := json.Unmarshal(b, &one)
		*a = audience{one}
		return err
	}
	var many []string
	err := json.Unmarshal(b, &many)
	*a = many
	return err
}

// current returns why the claims do not hold at the time.
func (p *Provider) current(c *claims, now time.Time) error {
	switch {
	case c.Expires == nil:
		return refused("the token has no expiry")
	case !now.Add(-p.skew).Before(c.Expires.Time):
		return refused("the token has expired")
	case c.NotBefore != nil && now.Add(p.skew).Before(c.NotBefore.Time):
		return refused("the token is not valid yet")
	case c.IssuedAt != nil && now.Add(p.skew).Before(c.IssuedAt.Time):
		return refused("the token is issued in the future")
	}
	if p.entry.Bearer == nil || p.entry.Bearer.MaxAge == 0 {
		return nil
	}
	if c.IssuedAt == nil || now.Sub(c.IssuedAt.Time) > time.Duration(p.entry.Bearer.MaxAge)+p.skew {
		return refused("the token is older than its issuer's tokens may be")
	}
	return nil
}
