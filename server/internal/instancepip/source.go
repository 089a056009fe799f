package instancepip

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonUnreachable is given when the other system does not answer, or not as it should.
const ReasonUnreachable fault.Reason = "INSTANCE_SOURCE_UNREACHABLE"

// Limits that hold unless the configuration says otherwise.
const (
	defaultTimeout = 2 * time.Second
	defaultTries   = 3
	firstPause     = 50 * time.Millisecond
	maxAnswer      = 1 << 20
)

// Config is what a Source needs.
type Config struct {
	// URL is where the instances are, https:// or http://.
	URL string
	// Authorization is sent with each request, if given.
	Authorization string
	// Timeout is how long one try may take. Default 2 s.
	Timeout time.Duration
	// Tries is how often it is tried. Default 3.
	Tries int
	// Transport makes the requests. Default http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock of the pauses that a failing system gets. Default time.Now.
	Now func() time.Time
}

// Source asks about instances. It is safe for concurrent use.
type Source struct {
	url           string
	authorization string
	tries         int
	client        *http.Client
	breaker       breaker
	now           func() time.Time
}

// New returns a source.
func New(c Config) (*Source, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the source of instances must be a URL such as https://storage.example/storage/api/v1/instances")
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Tries == 0 {
		c.Tries = defaultTries
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	client := &http.Client{
		Transport: c.Transport, Timeout: c.Timeout,
		// Where the answer comes from is configured, not told by an answer.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Source{url: strings.TrimSuffix(c.URL, "/"), authorization: c.Authorization, tries: c.Tries, client: client, now: c.Now}, nil
}

// authInfo is the answer: what of an instance is needed to decide about it.
type authInfo struct {
	AppID   string
	Process *struct {
		CurrentTask *struct{ ElementID string }
		EndEvent    string
	}
}

// Instance implements decision.Instances.
func (s *Source) Instance(ctx context.Context, id string) (decision.Instance, bool, error) {
	of, guid, err := decision.SplitInstance(id)
	if err != nil {
		return decision.Instance{}, false, err
	}
	if !s.breaker.allow(s.now()) {
		return decision.Instance{}, false, unreachable(errors.New("it has failed too often just now"))
	}
	info, err := s.ask(ctx, strconv.FormatInt(int64(of), 10)+"/"+guid)
	if err != nil && ctx.Err() != nil {
		s.breaker.leave()
		return decision.Instance{}, false, unreachable(err)
	}
	s.breaker.done(s.now(), err == nil)
	if err != nil {
		return decision.Instance{}, false, unreachable(err)
	}
	if info == nil {
		return decision.Instance{}, false, nil
	}
	org, app, ok := strings.Cut(info.AppID, "/")
	if !ok || org == "" || app == "" {
		return decision.Instance{}, false, unreachable(fmt.Errorf("the app %.64q of instance %s is not org/app", info.AppID, id))
	}
	found := decision.Instance{ID: id, Org: org, App: app, Party: of}
	if p := info.Process; p != nil {
		found.EndEvent = p.EndEvent
		if p.CurrentTask != nil {
			found.Task = p.CurrentTask.ElementID
		}
	}
	return found, true, nil
}

func unreachable(cause error) error {
	return fault.New(fault.Unavailable, ReasonUnreachable, "the system that knows instances does not answer").Because(cause)
}

// ask tries to get an answer, nil when there is no such instance.
func (s *Source) ask(ctx context.Context, id string) (*authInfo, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = firstPause
	return backoff.Retry(ctx, func() (*authInfo, error) { return s.try(ctx, id) },
		backoff.WithBackOff(pause), backoff.WithMaxTries(uint(max(s.tries, 1))))
}

// try asks once. An error that will not pass by itself is permanent.
func (s *Source) try(ctx context.Context, id string) (*authInfo, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/"+id+"/process/authinfo", nil)
	if err != nil {
		return nil, backoff.Permanent(fmt.Errorf("ask for instance %s: %w", id, err))
	}
	req.Header.Set("Accept", "application/json")
	if s.authorization != "" {
		req.Header.Set("Authorization", s.authorization)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for instance %s: %w", id, err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, nil
	case resp.StatusCode >= http.StatusInternalServerError, resp.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("ask for instance %s: status %d", id, resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		return nil, backoff.Permanent(fmt.Errorf("ask for instance %s: status %d", id, resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read instance %s: %w", id, err)
	}
	info := &authInfo{}
	if err := json.Unmarshal(body, info); err != nil {
		return nil, backoff.Permanent(fmt.Errorf("read instance %s: %w", id, err))
	}
	return info, nil
}
