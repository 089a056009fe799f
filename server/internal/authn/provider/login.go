package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// maxLoginAge is how old an id_token may be that a login brings.
const maxLoginAge = 10 * time.Minute

// Reasons of logins that fail.
const (
	// ReasonLoginRefused is given when the provider has not let somebody in, or what it said does not hold.
	ReasonLoginRefused fault.Reason = "LOGIN_REFUSED"
	// ReasonLevelTooLow is given when a login is of a lower level than was asked for.
	ReasonLevelTooLow fault.Reason = "LEVEL_TOO_LOW"
)

// Request is what a login asks of the provider.
type Request struct {
	Redirect string // where the browser comes back to
	State    string
	Nonce    string
	Verifier string   // of PKCE
	ACR      []string // one of which the login must have
	Locale   string   // of the provider's pages; empty for its own choice
}

// Tokens are what the provider gives for a login.
type Tokens struct {
	Access  string    `json:"access,omitempty"`
	Refresh string    `json:"refresh,omitempty"`
	ID      string    `json:"id,omitempty"` // the id_token, by which a logout names its login
	Expires time.Time `json:"expires,omitzero"`
}

// LoggedIn is somebody who has logged in.
type LoggedIn struct {
	authn.Verified
	Subject string // as the provider calls him, whether or not it is believed
	SID     string // the provider's name of its session
	Tokens  Tokens
}

// ACR returns the acr values that a login asks for: those asked, or the entry's.
func (p *Provider) ACR(asked []string) []string {
	if len(asked) > 0 || p.entry.Login == nil {
		return asked
	}
	return p.entry.Login.ACR
}

func (p *Provider) oauth2(told Metadata, redirect string) *oauth2.Config {
	style := oauth2.AuthStyleInHeader
	if p.secrets.login == "" {
		style = oauth2.AuthStyleInParams // a public client, or one with a key, has nothing to put into a header
	}
	return &oauth2.Config{
		ClientID: p.entry.Login.ClientID, ClientSecret: string(p.secrets.login),
		Endpoint:    oauth2.Endpoint{AuthURL: told.Authorization, TokenURL: told.Token, AuthStyle: style},
		RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.entry.Login.Scopes...),
	}
}

// Authorize returns where the browser logs in.
func (p *Provider) Authorize(ctx context.Context, r Request) (string, error) {
	if p.entry.Login == nil {
		return "", fault.New(fault.NotFound, "PROVIDER_NOT_FOUND", "nobody logs in with this provider")
	}
	told, err := p.Discover(ctx)
	if err != nil {
		return "", err
	}
	// Without PKCE, or with plain, a code that leaks is a login.
	if len(told.ChallengeMethods) > 0 && !slices.Contains(told.ChallengeMethods, "S256") {
		return "", unavailable("the identity provider does not offer PKCE with S256")
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(r.Nonce), oauth2.S256ChallengeOption(r.Verifier)}
	if len(r.ACR) > 0 {
		options = append(options, oauth2.SetAuthURLParam("acr_values", strings.Join(r.ACR, " ")))
	}
	if r.Locale != "" {
		options = append(options, oauth2.SetAuthURLParam("ui_locales", r.Locale))
	}
	if p.entry.Login.MaxAge > 0 {
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(time.Duration(p.entry.Login.MaxAge)/time.Second))))
	}
	options = p.forResource(options)
	address := p.oauth2(told, r.Redirect).AuthCodeURL(r.State, options...)
	if told.RequirePAR || p.entry.Login.PAR {
		return p.push(ctx, told, address)
	}
	return address, nil
}

// forResource asks for access tokens that open nothing but the API that the entry names. A
// renewal need not ask: it is for what the login was.
func (p *Provider) forResource(options []oauth2.AuthCodeOption) []oauth2.AuthCodeOption {
	if p.entry.Login.Resource == "" {
		return options
	}
	return append(options, oauth2.SetAuthURLParam("resource", p.entry.Login.Resource))
}

// CheckIssuer returns why a callback is not of this provider (RFC 9207). It is to be asked
// before the code is sent anywhere: it may be another provider's, for which this one asks.
func (p *Provider) CheckIssuer(ctx context.Context, iss string) error {
	told, err := p.Discover(ctx)
	if err != nil {
		return err
	}
	if iss == "" && told.IssInCallback || iss != "" && iss != p.entry.Issuer {
		return fault.New(fault.Invalid, ReasonLoginRefused, "the answer is not of the identity provider that was asked")
	}
	return nil
}

// Exchange trades the code of a callback for who has logged in.
func (p *Provider) Exchange(ctx context.Context, r Request, code string) (LoggedIn, error) {
	told, err := p.Discover(ctx)
	if err != nil {
		return LoggedIn{}, err
	}
	ctx = oidc.ClientContext(ctx, p.asClient())
	token, err := p.oauth2(told, r.Redirect).Exchange(ctx, code, p.forResource([]oauth2.AuthCodeOption{oauth2.VerifierOption(r.Verifier)})...)
	if err != nil {
		return LoggedIn{}, tokenFault(err)
	}
	raw, _ := token.Extra("id_token").(string)
	in, err := p.readLogin(ctx, told, raw, token.AccessToken, r)
	if err != nil {
		return LoggedIn{}, err
	}
	in.Tokens = Tokens{Access: token.AccessToken, Refresh: token.RefreshToken, ID: raw, Expires: p.until(token)}
	return in, nil
}

// readLogin returns whom an id_token names.
func (p *Provider) readLogin(ctx context.Context, told Metadata, raw, access string, r Request) (LoggedIn, error) {
	payload, _, err := p.keys.verify(ctx, raw)
	if err != nil {
		return LoggedIn{}, err
	}
	no := func(why string) (LoggedIn, error) {
		return LoggedIn{}, fault.New(fault.Unauthenticated, ReasonLoginRefused, "%s", "the login does not hold: "+why)
	}
	id, err := p.idTokens().Verify(ctx, raw)
	if err != nil {
		return no("its issuer, audience or time is wrong")
	}
	c, err := readClaims(payload)
	if err != nil {
		return LoggedIn{}, err
	}
	client, now := p.entry.Login.ClientID, p.now()
	switch {
	case c.Nonce == nil || subtle.ConstantTimeCompare([]byte(*c.Nonce), []byte(r.Nonce)) != 1:
		return no("its nonce is wrong")
	case c.Subject == "":
		return no("it names nobody")
	case len(c.Audience) > 1 || c.Party != "" && c.Party != client:
		return no("it is meant for others too")
	case c.IssuedAt == nil || now.Add(p.skew).Before(c.IssuedAt.Time) || now.Sub(c.IssuedAt.Time) > maxLoginAge:
		return no("it is too old, or of the future")
	case c.NotBefore != nil && now.Add(p.skew).Before(c.NotBefore.Time):
		return no("it is not valid yet")
	case p.entry.Login.MaxAge > 0 && (c.AuthTime == nil || now.Sub(c.AuthTime.Time) > time.Duration(p.entry.Login.MaxAge)+p.skew):
		return no("it is too long since the provider asked who it is")
	case id.AccessTokenHash != "" && id.VerifyAccessToken(access) != nil:
		return no("its access token is another's")
	}
	if err := p.reached(c.ACR, r.ACR); err != nil {
		return LoggedIn{}, err
	}
	if err := p.addUserInfo(ctx, told, c, access); err != nil {
		return LoggedIn{}, err
	}
	who, err := p.identity(c)
	if err != nil {
		return LoggedIn{}, err
	}
	return LoggedIn{
		Verified: authn.Verified{Caller: who.Caller, Identity: &who.Identity, Expires: c.Expires.Time},
		Subject:  c.Subject, SID: c.Session,
	}, nil
}

// reached returns why an acr is less than what was asked for. A provider may leave out what
// it was asked, so its word is looked at.
func (p *Provider) reached(acr string, asked []string) error {
	if len(asked) == 0 || slices.Contains(asked, acr) {
		return nil
	}
	for _, a := range asked {
		if level, known := p.entry.Levels.ACR[a]; known && p.entry.Levels.ACR[acr] >= level && level > 0 {
			return nil
		}
	}
	return fault.New(fault.Denied, ReasonLevelTooLow, "the login is of a lower level than was asked for")
}

// idTokens returns what verifies id_tokens and logout tokens. Its clock is behind ours by the
// skew, so that what has just expired there is taken; its own leeways are looked at again.
func (p *Provider) idTokens() *oidc.IDTokenVerifier {
	var algorithms []string
	for _, a := range p.keys.algorithms {
		algorithms = append(algorithms, string(a))
	}
	return oidc.NewVerifier(p.entry.Issuer, p.keys, &oidc.Config{
		ClientID: p.entry.Login.ClientID, SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return p.now().Add(-p.skew) },
	})
}

// tokenFault tells a provider that says no from one that says nothing.
func tokenFault(err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if ok && answer.Response != nil && answer.Response.StatusCode < http.StatusInternalServerError && answer.Response.StatusCode != http.StatusTooManyRequests {
		// The answer may repeat the code or the token, so its text goes nowhere.
		return fault.New(fault.Unauthenticated, ReasonLoginRefused, "the identity provider has refused the login").
			Because(errors.New("the provider answered " + answer.ErrorCode))
	}
	return unavailable("the identity provider cannot be reached now").Because(errors.New("no answer of the token endpoint"))
}
