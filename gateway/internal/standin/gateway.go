package standin

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/gateway"
	"github.com/behalf-authz/behalf/schema"
)

// Gateway serves the whole gateway over services on a free loopback port. The logger may
// be nil.
func Gateway(t testing.TB, logger *slog.Logger) (*Services, *httptest.Server) {
	t.Helper()
	services, conn := New(t)
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	registry := prometheus.NewRegistry()
	h, err := gateway.New(gateway.Config{
		Conn: conn, Logger: logger, Registerer: registry, Gatherer: registry,
		JWKS:         func() []byte { return []byte(`{"keys":[]}`) },
		OpenAPI:      schema.OpenAPI,
		Ready:        func(ctx context.Context) error { return services.ready(ctx) },
		MaxBodyBytes: MaxBodyBytes,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return services, srv
}

// MaxBodyBytes is the limit of the gateway that Gateway serves.
const MaxBodyBytes = 1 << 16

func (s *Services) ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notReady
}

// SetReady makes the server ready, or not, for the reason given.
func (s *Services) SetReady(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notReady = why
}

// Answer is an HTTP answer, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request, "METHOD target", with headers "Name: value" and an optional body.
func Do(t testing.TB, srv *httptest.Server, request, body string, headers ...string) Answer {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	var content io.Reader
	if body != "" {
		content = bytes.NewBufferString(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+target, content)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
}
