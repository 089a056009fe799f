package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// push tells the provider of a login before the browser goes there (RFC 9126), so that the
// browser carries no parameter that somebody could change, and returns where it then goes.
func (p *Provider) push(ctx context.Context, told Metadata, address string) (string, error) {
	fail := func(why error) (string, error) {
		return "", unavailable("the identity provider does not take the login's request").Because(why)
	}
	u, err := url.Parse(address)
	if err != nil || told.PAR == "" {
		return fail(errors.Join(err, errors.New("discovery names no endpoint for pushed requests")))
	}
	answer, err := p.post(ctx, told.PAR, u.Query())
	if err != nil {
		return fail(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusCreated {
		return fail(fmt.Errorf("push a request: status %d: %w", answer.StatusCode, err))
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if json.Unmarshal(text, &pushed) != nil || pushed.RequestURI == "" {
		return fail(errors.New("push a request: the answer has no request_uri"))
	}
	u.RawQuery = url.Values{"client_id": {p.entry.Login.ClientID}, "request_uri": {pushed.RequestURI}}.Encode()
	return u.String(), nil
}
