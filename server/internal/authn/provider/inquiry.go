package provider

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
)

// How long what an issuer says of an opaque token is believed, and how many answers are kept.
const (
	inquiryTime   = 30 * time.Second
	refusalTime   = 5 * time.Second
	maxInquiries  = 10_000
	maxOpaqueSize = 4 << 10
)

// inquiry asks an issuer about opaque tokens (RFC 7662).
type inquiry struct {
	provider *Provider

	mu      sync.Mutex
	answers map[[32]byte]inquired
}

type inquired struct {
	authn.Verified
	err   error
	until time.Time
}

func newInquiry(p *Provider) *inquiry {
	return &inquiry{provider: p, answers: make(map[[32]byte]inquired)}
}

// Introspects reports whether the provider is asked about opaque tokens.
func (p *Provider) Introspects() bool { return p.inquiry != nil }

// Introspect returns whom an opaque token names. The error is an Unauthenticated fault, or an
// Unavailable one when the issuer does not answer.
func (p *Provider) Introspect(ctx context.Context, text authn.Secret) (authn.Verified, error) {
	if p.inquiry == nil || len(text) > maxOpaqueSize {
		return authn.Verified{}, refused("the credentials are neither a token nor an API key")
	}
	return p.inquiry.ask(ctx, text)
}

func (i *inquiry) ask(ctx context.Context, text authn.Secret) (authn.Verified, error) {
	key, now := sha256.Sum256([]byte(text)), i.provider.now()
	i.mu.Lock()
	known, found := i.answers[key]
	i.mu.Unlock()
	if found && now.Before(known.until) {
		return known.Verified, known.err
	}
	claims, err := i.request(ctx, text)
	if err != nil {
		return authn.Verified{}, unavailable("the token's issuer cannot be asked about it now").Because(err)
	}
	answer := inquired{until: now.Add(refusalTime)}
	answer.Verified, answer.err = i.read(claims, now)
	if answer.err == nil {
		answer.until = now.Add(inquiryTime)
		if answer.Expires.Before(answer.until) {
			answer.until = answer.Expires
		}
	}
	i.keep(key, answer, now)
	return answer.Verified, answer.err
}

func (i *inquiry) keep(key [32]byte, answer inquired, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.answers) >= maxInquiries {
		for k, a := range i.answers {
			if !now.Before(a.until) {
				delete(i.answers, k)
			}
		}
		if len(i.answers) >= maxInquiries {
			clear(i.answers)
		}
	}
	i.answers[key] = answer
}

// read reads an answer. Nothing but "active": true is active.
func (i *inquiry) read(text []byte, now time.Time) (authn.Verified, error) {
	var status struct {
		Active *bool `json:"active"`
	}
	if json.Unmarshal(text, &status) != nil || status.Active == nil || !*status.Active {
		return authn.Verified{}, refused("the token is not valid")
	}
	c, err := readClaims(text)
	if err != nil {
		return authn.Verified{}, err
	}
	p := i.provider
	if c.Issuer != "" && c.Issuer != p.entry.Issuer {
		return authn.Verified{}, refused("the token is of another issuer")
	}
	if err := p.current(c, now); err != nil {
		return authn.Verified{}, err
	}
	if !slices.ContainsFunc(c.Audience, p.meant(p.entry.Introspection.Audiences)) {
		return authn.Verified{}, refused("the token is meant for somebody else")
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

func (i *inquiry) request(ctx context.Context, token authn.Secret) ([]byte, error) {
	entry := i.provider.entry.Introspection
	address := entry.Endpoint
	if address == "" {
		told, err := i.provider.metadata.get(ctx)
		if err != nil {
			return nil, err
		}
		address = told.Introspection
	}
	form := url.Values{"token": {string(token)}, "token_type_hint": {"access_token"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("introspect: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.SetBasicAuth(url.QueryEscape(entry.ClientID), url.QueryEscape(string(i.provider.secrets.introspection)))
	answer, err := i.provider.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("introspect: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("introspect: status %d: %w", answer.StatusCode, err)
	}
	return text, nil
}
