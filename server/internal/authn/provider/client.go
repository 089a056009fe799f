package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Limits of an answer of a provider.
const (
	answerTime = 10 * time.Second
	maxAnswer  = 1 << 20
)

// newClient returns a client for what an entry tells and discovery tells further. local says
// that the provider is on this machine by its entry; no other is followed there, nor to the
// addresses by which clouds tell a machine its secrets.
func newClient(local bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		ip := net.ParseIP(host)
		if ip == nil || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsLoopback() && !local {
			return fmt.Errorf("%s is no address of an identity provider", host)
		}
		return nil
	}}
	transport := &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 8, MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Timeout:   answerTime,
		Transport: guarded{next: transport, local: local},
		// A provider is where its file says. A redirect could lead to anybody's.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guarded refuses plaintext, and ends an answer that is too long.
type guarded struct {
	next      http.RoundTripper
	local     bool
	plaintext bool
}

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	here := g.local && r.URL.Scheme == "http" && loopback(r.URL.Hostname())
	if r.URL.Scheme != "https" && !here && !g.plaintext {
		return nil, errors.New("an identity provider is asked over https only")
	}
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = limited{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	return answer, nil
}

type limited struct {
	io.Reader
	io.Closer
}

// post sends a form as the client of logins.
func (p *Provider) post(ctx context.Context, address string, form url.Values) (*http.Response, error) {
	if p.secrets.login == "" {
		form.Set("client_id", p.entry.Login.ClientID)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if p.secrets.login != "" {
		request.SetBasicAuth(url.QueryEscape(p.entry.Login.ClientID), url.QueryEscape(string(p.secrets.login)))
	}
	return p.asClient().Do(request)
}
