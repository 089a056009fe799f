package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Metadata is what discovery tells of a provider, as far as it is used here.
type Metadata struct {
	Authorization    string   `json:"authorization_endpoint"`
	Token            string   `json:"token_endpoint"`
	JWKS             string   `json:"jwks_uri"`
	EndSession       string   `json:"end_session_endpoint"`
	Introspection    string   `json:"introspection_endpoint"`
	Revocation       string   `json:"revocation_endpoint"`
	UserInfo         string   `json:"userinfo_endpoint"`
	PAR              string   `json:"pushed_authorization_request_endpoint"`
	RequirePAR       bool     `json:"require_pushed_authorization_requests"`
	IssInCallback    bool     `json:"authorization_response_iss_parameter_supported"`
	ChallengeMethods []string `json:"code_challenge_methods_supported"`
}

// metadata asks for a provider's Metadata when it is needed, and remembers it.
type metadata struct {
	client *http.Client
	issuer string
	now    func() time.Time

	mu    sync.Mutex
	known *Metadata
	at    time.Time
	tried time.Time
	err   error
}

// get returns what the provider tells. What was told is used for a day when it tells no more.
func (m *metadata) get(ctx context.Context) (Metadata, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	fresh := m.known != nil && now.Sub(m.at) < time.Hour
	soon := !m.tried.IsZero() && now.Sub(m.tried) < KeysInterval
	if !fresh && !soon {
		m.tried = now
		m.err = m.discover(context.WithoutCancel(ctx))
	}
	if m.known != nil && now.Sub(m.at) < KeysStale {
		return *m.known, nil
	}
	return Metadata{}, m.err
}

func (m *metadata) discover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, m.client), answerTime)
	defer cancel()
	found, err := oidc.NewProvider(ctx, m.issuer) // which compares the issuer to the letter
	if err != nil {
		return fmt.Errorf("discover the provider %s: %w", m.issuer, err)
	}
	var told Metadata
	if err := found.Claims(&told); err != nil {
		return fmt.Errorf("discover the provider %s: %w", m.issuer, err)
	}
	for _, address := range []string{told.Authorization, told.Token, told.JWKS, told.EndSession, told.Introspection, told.Revocation, told.UserInfo, told.PAR} {
		if address != "" && !secureEndpoint(address) {
			return errors.New("discovery names an endpoint that is not https")
		}
	}
	if told.JWKS == "" {
		return errors.New("discovery names no keys")
	}
	m.known, m.at = &told, m.now()
	return nil
}
