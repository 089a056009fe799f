package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/gateway"
	"github.com/behalf-authz/behalf/gateway/internal/standin"
)

func TestConfigNamesEveryFault(t *testing.T) {
	_, err := gateway.New(gateway.Config{MaxBodyBytes: -1})
	if err == nil {
		t.Fatal("a gateway without anything was made")
	}
	for _, field := range []string{"Conn", "Logger", "Registerer", "Gatherer", "JWKS", "OpenAPI", "Ready", "limit"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in %q", field, err)
		}
	}
}

func TestHealthFollowsReadiness(t *testing.T) {
	var log bytes.Buffer
	services, srv := standin.Gateway(t, slog.New(slog.NewJSONHandler(&log, nil)))
	for _, step := range []struct {
		ready  error
		path   string
		status int
		body   string
	}{
		{nil, "/health", 200, "Healthy"},
		{nil, "/readyz", 200, "ready"},
		{nil, "/livez", 200, "alive"},
		{errors.New("schema is missing"), "/health", 503, "Unhealthy"},
		{errors.New("schema is missing"), "/readyz", 503, "not ready"},
		{errors.New("schema is missing"), "/livez", 200, "alive"},
		{errors.New("schema is missing"), "/-/healthz", 200, "alive"},
		{errors.New("schema is missing"), "/-/ready", 503, "not ready"},
		{errors.New("schema is missing"), "/-/check-up", 503, "not ready"},
		{nil, "/-/check-up", 200, "ready"},
		{nil, "/health", 200, "Healthy"},
	} {
		services.SetReady(step.ready)
		got := standin.Do(t, srv, "GET "+step.path, "")
		if got.Status != step.status || got.Body != step.body {
			t.Errorf("%s when %v: %d %q, want %d %q", step.path, step.ready, got.Status, got.Body, step.status, step.body)
		}
	}
	srv.Close() // what is logged of a request may follow its answer
	if !strings.Contains(log.String(), "schema is missing") {
		t.Errorf("the log does not say why:\n%s", &log)
	}
}

func TestDocuments(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	got := standin.Do(t, srv, "GET /openapi.json", "")
	document, err := openapi3.NewLoader().LoadFromData([]byte(got.Body))
	if err != nil || got.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("headers %v, error %v", got.Header, err)
	}
	if err := document.Validate(context.Background()); err != nil {
		t.Errorf("the OpenAPI document is not valid: %v", err)
	}
	if got := standin.Do(t, srv, "GET /.well-known/jwks.json", ""); got.Status != 200 || got.Body != `{"keys":[]}` {
		t.Errorf("keys: %d %s", got.Status, got.Body)
	}
	if got := standin.Do(t, srv, "GET /.well-known/client-jwks.json", ""); got.Status != 200 || got.Body != `{"keys":[]}` {
		t.Errorf("keys of the client: %d %s", got.Status, got.Body)
	}
	for _, path := range []string{"/openapi.json", "/docs", "/docs/swagger-ui.css", "/.well-known/jwks.json", "/.well-known/client-jwks.json", "/metrics", "/health", "/livez", "/readyz"} {
		if got := standin.Do(t, srv, "POST "+path, ""); got.Status != 405 || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, got.Status, got.Header.Get("Allow"))
		}
		if got := standin.Do(t, srv, "HEAD "+path, ""); got.Status != 200 || got.Body != "" {
			t.Errorf("HEAD %s: %d %q", path, got.Status, got.Body)
		}
	}
}

// The document says of faults what the gateway answers: the media type, and every field.
func TestDocumentDescribesFaults(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	document, err := openapi3.NewLoader().LoadFromData([]byte(standin.Do(t, srv, "GET /openapi.json", "").Body))
	if err != nil {
		t.Fatal(err)
	}
	const authorized, isJSON = "Authorization: Bearer user-7", "Content-Type: application/json"
	for _, c := range []struct {
		request, body, path, method string
		status                      int
		headers                     []string
	}{
		{"GET /v1/caller", "", "/v1/caller", http.MethodGet, 401, nil},
		{"GET /v1/parties?nonsense=1", "", "/v1/parties", http.MethodGet, 400, []string{authorized}},
		{"POST /v1/check", "{", "/v1/check", http.MethodPost, 400, []string{authorized, isJSON}},
		{"POST /v1/check", "{}", "/v1/check", http.MethodPost, 415, []string{authorized}},
	} {
		got := standin.Do(t, srv, c.request, c.body, c.headers...)
		media := got.Header.Get("Content-Type")
		told := document.Paths.Value(c.path).GetOperation(c.method).Responses.Default().Value.Content[media]
		if got.Status != c.status || told == nil {
			t.Errorf("%s: %d, want %d; %q is documented: %v", c.request, got.Status, c.status, media, told != nil)
			continue
		}
		var body any
		if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
			t.Fatal(err)
		}
		if err := told.Schema.Value.VisitJSON(body); err != nil {
			t.Errorf("%s: %v", c.request, err)
		}
	}
}

// The metrics know patterns and a short list of methods; nothing that a client sends
// becomes a label.
func TestMetricsHaveClosedLabels(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	for _, request := range []string{
		"GET /v1/parties/50076451/validate", "GET /authorization/api/v1/PARTIES/50076451/Validate", "GET /v1/apikeys", "GET /wp-login.php", "BREW /secret",
	} {
		standin.Do(t, srv, request, "")
	}
	got := standin.Do(t, srv, "GET /metrics", "")
	for _, want := range []string{
		`behalf_http_requests_total{method="GET",route="/v1/parties/{party_id}/validate",status="401"} 1`,
		`behalf_http_requests_total{method="GET",route="/authorization/api/v1/parties/{partyId}/validate",status="401"} 1`,
		`behalf_http_requests_total{method="GET",route="unmatched",status="404"} 1`,
		`behalf_http_requests_total{method="OTHER",route="unmatched",status="404"} 1`,
		`behalf_http_request_duration_seconds_count{method="GET",route="/v1/parties/{party_id}/validate"} 1`,
	} {
		if !strings.Contains(got.Body, want+"\n") {
			t.Errorf("no %s in\n%s", want, got.Body)
		}
	}
	for _, leak := range []string{"50076451", "wp-login", "BREW", "secret"} {
		if strings.Contains(got.Body, leak) {
			t.Errorf("%s became a label", leak)
		}
	}
}

// A client that never sends the body it announced gets an answer when its time is over.
func TestSlowBodyEnds(t *testing.T) {
	_, conn := standin.New(t)
	registry := prometheus.NewRegistry()
	h, err := gateway.New(gateway.Config{
		Conn: conn, Logger: slog.New(slog.DiscardHandler), Registerer: registry, Gatherer: registry,
		JWKS: func() []byte { return nil }, OpenAPI: []byte("{}"), Ready: func(context.Context) error { return nil },
		Timeout: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	defer srv.Close()
	client, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(client, "POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatalf("no answer to half a body: %v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("half a body: %s", resp.Status)
	}
}

func TestUnknownPathsAreProblems(t *testing.T) {
	_, srv := standin.Gateway(t, nil)
	for _, path := range []string{"/", "/v1", "/authorization/api/v1", "/authorization/api/v2/parties", "/health/", "//health", "/../v1/parties", "/debug/pprof/"} {
		got := standin.Do(t, srv, "GET "+path, "")
		var p struct{ Reason string }
		if err := json.Unmarshal([]byte(got.Body), &p); err != nil || got.Status != 404 || p.Reason != "ROUTE_NOT_FOUND" {
			t.Errorf("%s: %d %s %v", path, got.Status, got.Body, err)
		}
	}
}

func TestFaultsStayInside(t *testing.T) {
	services, srv := standin.Gateway(t, nil)
	services.Answer = func(string, proto.Message) (proto.Message, error) {
		return nil, errors.New("disk /var/lib/behalf is full")
	}
	got := standin.Do(t, srv, "GET /v1/parties", "", "Authorization: Bearer user-7")
	if got.Status != 500 || strings.Contains(got.Body, "disk") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
