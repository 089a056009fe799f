package provider

import (
	"context"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Refresh trades a refresh token for new tokens. The error is an Unauthenticated fault when
// the provider has ended the login, and an Unavailable one when it does not answer.
func (p *Provider) Refresh(ctx context.Context, was Tokens) (Tokens, error) {
	if p.entry.Login == nil {
		return Tokens{}, refused("nobody logs in with this provider")
	}
	told, err := p.Discover(ctx)
	if err != nil {
		return Tokens{}, err
	}
	ctx = oidc.ClientContext(ctx, p.asClient())
	token, err := p.oauth2(told, "").TokenSource(ctx, &oauth2.Token{RefreshToken: was.Refresh}).Token()
	if err != nil {
		return Tokens{}, tokenFault(err)
	}
	return Tokens{Access: token.AccessToken, Refresh: token.RefreshToken, ID: was.ID, Expires: p.until(token)}, nil
}

// until returns when an access token that came just now ends, zero when nobody has said.
func (p *Provider) until(token *oauth2.Token) time.Time {
	if token.ExpiresIn <= 0 {
		return time.Time{}
	}
	return p.now().Add(time.Duration(token.ExpiresIn) * time.Second)
}
