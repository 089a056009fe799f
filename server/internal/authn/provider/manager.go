package provider

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/behalf-authz/behalf/server/internal/authn"
)

// managerTime is how long an authentication manager is waited for when its entry does not say.
const managerTime = 5 * time.Second

// Manager is how an authentication manager of others, such as Mia-Platform's, is asked who
// makes a request: by GET, with headers of the request.
type Manager struct {
	UserInfo  string   `yaml:"userinfo"`
	Plaintext bool     `yaml:"plaintext"` // ask over http:// in a network that is trusted
	Headers   []string `yaml:"headers"`   // that it is given; default authorization and cookie
	ID        string   `yaml:"id"`        // where it says who it is; default sub, else userId
	Timeout   Duration `yaml:"timeout"`   // default 5s
}

// managerBeliefs are what a manager can be believed for: it knows people.
var managerBeliefs = []Belief{Subject, PID, Altinn, Groups, Permissions, Levels}

// reserved are headers that belong to the request to the manager itself.
var reserved = []string{
	"connection", "content-length", "content-type", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection",
	"te", "trailer", "transfer-encoding", "upgrade",
}

func (m *Manager) validate(e Entry, w *wrong) {
	u, err := url.Parse(m.UserInfo)
	plaintext := err == nil && m.Plaintext && u.Scheme == "http" && u.Host != "" && u.User == nil
	w.unless(plaintext || secureEndpoint(m.UserInfo), "manager.userinfo must be an https:// URL; http:// is for loopback, or with plaintext: true")
	for _, h := range m.headers() {
		w.unless(h != "" && textproto.TrimString(h) == h && !strings.ContainsAny(h, " :_\r\n") && !slices.Contains(reserved, h),
			"manager.headers: %.40q is no header that can be handed on", h)
	}
	for _, b := range e.Believe {
		w.unless(slices.Contains(managerBeliefs, b), "believe: a manager knows people, and is not believed for %s", b)
	}
	w.unless(slices.Contains(e.Believe, Subject), "believe must name subject: a manager says who it is")
	w.unless(e.Bearer == nil && e.Login == nil && e.Introspection == nil, "a manager has an entry of its own, without bearer, login and introspection")
}

// headers returns the names of the headers that the manager is given, in lower case.
func (m *Manager) headers() []string {
	if len(m.Headers) == 0 {
		return []string{"authorization", "cookie"}
	}
	names := make([]string, len(m.Headers))
	for i, h := range m.Headers {
		names[i] = strings.ToLower(h)
	}
	return names
}

// client returns what asks the manager.
func (m *Manager) client() *http.Client {
	u, err := url.Parse(m.UserInfo)
	local := err == nil && loopback(u.Hostname())
	client := newClient(local)
	if guard, ok := client.Transport.(guarded); ok {
		guard.plaintext = m.Plaintext
		client.Transport = guard
	}
	client.Timeout = managerTime
	if m.Timeout > 0 {
		client.Timeout = time.Duration(m.Timeout)
	}
	return client
}

// Manages says whether the provider is an authentication manager of others.
func (p *Provider) Manages() bool { return p.entry.Manager != nil }

// Ask asks a manager who makes a request with the headers, given by their names in lower
// case. found is false when it knows nobody. Without one of its headers it is not asked. The
// error is an Unavailable fault when it does not answer.
func (p *Provider) Ask(ctx context.Context, header func(name string) []string) (v authn.Verified, found bool, err error) {
	m := p.entry.Manager
	if m == nil {
		return v, false, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.UserInfo, http.NoBody)
	if err != nil {
		return v, false, err
	}
	for _, name := range m.headers() {
		for _, value := range header(name) {
			request.Header.Add(name, value)
		}
	}
	if len(request.Header) == 0 {
		return v, false, nil
	}
	request.Header.Set("Accept", "application/json")
	text, err := p.asked(request)
	if err != nil || len(text) == 0 {
		return v, false, err
	}
	return p.managed(text)
}

// asked returns what the manager answers, nothing when it says that it is nobody.
func (p *Provider) asked(request *http.Request) ([]byte, error) {
	no := func(cause error) error {
		return unavailable("the authentication manager cannot be reached now").Because(cause)
	}
	answer, err := p.managerClient.Do(request)
	if err != nil {
		// The text of the error has the address, and nothing of what was asked.
		return nil, no(err)
	}
	defer func() { _ = answer.Body.Close() }()
	switch {
	case answer.StatusCode >= http.StatusInternalServerError, answer.StatusCode == http.StatusTooManyRequests, answer.StatusCode == http.StatusRequestTimeout:
		return nil, no(errors.New("it answers " + answer.Status))
	case answer.StatusCode/100 != 2: // also a redirect to its login
		return nil, nil
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, no(err)
	}
	return bytes.TrimSpace(text), nil
}

// managed reads what a manager says of somebody. What has no id is nobody.
func (p *Provider) managed(text []byte) (v authn.Verified, found bool, err error) {
	var c claims
	if json.Unmarshal(text, &c.all) != nil {
		return v, false, unavailable("the authentication manager answers with something else than who it is")
	}
	names := []string{p.entry.Manager.ID}
	if names[0] == "" {
		names = []string{"sub", "userId"}
	}
	for _, name := range names {
		if c.Subject == "" {
			_ = json.Unmarshal(c.lookup(name), &c.Subject) // what is no text is no id
		}
	}
	if c.Subject == "" {
		return v, false, nil
	}
	_ = json.Unmarshal(c.lookup("acr"), &c.ACR) // the same for levels: what is not one is none
	_ = json.Unmarshal(c.lookup("amr"), &c.AMR)
	who, err := p.identity(&c)
	if err != nil {
		return v, false, err
	}
	who.Caller.Told = make(map[string]stdjson.RawMessage, len(c.all))
	for name, value := range c.all {
		who.Caller.Told[name] = stdjson.RawMessage(value)
	}
	return authn.Verified{Caller: who.Caller, Identity: &who.Identity}, true, nil
}
