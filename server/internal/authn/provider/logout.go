package provider

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server/internal/authn"
)

// logoutAge is how old a logout token may be, and so how long its jti must be remembered.
const logoutAge = 2 * time.Minute

// Logout is what a provider's logout token ends.
type Logout struct {
	SID     string    // the provider's session; empty when all of the subject end
	Subject string    // may be empty when SID is not
	ID      string    // by which the token is known when it comes again
	Until   time.Time // after which it is refused for its age
}

// ReadLogout reads a logout token (OIDC Back-Channel Logout, section 2.6).
func (p *Provider) ReadLogout(ctx context.Context, text authn.Secret) (Logout, error) {
	if p.entry.Login == nil {
		return Logout{}, refused("nobody logs in with this provider")
	}
	payload, header, err := p.keys.verify(ctx, string(text))
	if err != nil {
		return Logout{}, err
	}
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if t := strings.TrimPrefix(strings.ToLower(typ), "application/"); t != "" && t != "jwt" && t != "logout+jwt" {
		return Logout{}, refused("the token's typ is not that of a logout token")
	}
	token, err := p.idTokens().VerifyLogout(ctx, string(text))
	if err != nil {
		return Logout{}, refused("the token is no logout token of this provider and for this client")
	}
	c, err := readClaims(payload)
	if err != nil {
		return Logout{}, err
	}
	now := p.now()
	var events map[string]map[string]json.RawMessage // the member must be an object
	switch {
	case c.Events == nil || json.Unmarshal(*c.Events, &events) != nil:
		return Logout{}, refused("the logout token's events are no object of objects")
	case len(token.Audience) > 1:
		return Logout{}, refused("the logout token is meant for others too")
	case c.IssuedAt == nil || now.Add(p.skew).Before(c.IssuedAt.Time) || now.Sub(c.IssuedAt.Time) > logoutAge:
		return Logout{}, refused("the logout token is too old, or of the future")
	}
	return Logout{SID: token.SessionID, Subject: token.Subject, ID: token.TokenID, Until: c.IssuedAt.Add(logoutAge + p.skew)}, nil
}

// LogoutURL returns where the browser logs out at the provider too, empty when it offers none.
func (p *Provider) LogoutURL(ctx context.Context, idToken, back, state string) string {
	told, err := p.metadata.get(ctx)
	if err != nil || told.EndSession == "" || p.entry.Login == nil {
		return ""
	}
	u, err := url.Parse(told.EndSession)
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("client_id", p.entry.Login.ClientID)
	query.Set("post_logout_redirect_uri", back)
	query.Set("state", state)
	if idToken != "" {
		query.Set("id_token_hint", idToken)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Revoke tells the provider that a refresh token is not used any more, as far as it listens.
func (p *Provider) Revoke(ctx context.Context, refresh string) error {
	told, err := p.metadata.get(ctx)
	if err != nil || told.Revocation == "" || refresh == "" || p.entry.Login == nil {
		return err
	}
	answer, err := p.post(ctx, told.Revocation, url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}})
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
