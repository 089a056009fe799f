package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// addUserInfo adds to an id_token's claims those that the provider tells for its access token
// (OIDC Core, section 5.3). What the id_token says itself stands: only that is signed.
func (p *Provider) addUserInfo(ctx context.Context, told Metadata, c *claims, access string) error {
	if !p.entry.Login.UserInfo {
		return nil
	}
	text, err := p.askUserInfo(ctx, told, access)
	if err != nil {
		return unavailable("the identity provider does not tell who has logged in").Because(err)
	}
	var more map[string]json.RawMessage
	var subject string
	// Whoever gets another's access token accepted must not get another's groups with it.
	if json.Unmarshal(text, &more) != nil || json.Unmarshal(more["sub"], &subject) != nil || subject != c.Subject {
		return fault.New(fault.Unauthenticated, ReasonLoginRefused, "the login does not hold: what the provider tells is of somebody else")
	}
	for name, value := range more {
		if _, said := c.all[name]; !said {
			c.all[name] = value
		}
	}
	return nil
}

func (p *Provider) askUserInfo(ctx context.Context, told Metadata, access string) ([]byte, error) {
	if told.UserInfo == "" {
		return nil, errors.New("discovery names no endpoint of user info")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, told.UserInfo, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for user info: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+access)
	request.Header.Set("Accept", "application/json")
	answer, err := p.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for user info: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || kind != "application/json" {
		return nil, fmt.Errorf("ask for user info: status %d of type %.40q: %w", answer.StatusCode, kind, err)
	}
	return text, nil
}
