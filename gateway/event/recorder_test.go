package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/gateway/event"
)

// record sends one request through a recorder and returns its one log event.
func record(t *testing.T, h http.HandlerFunc, r *http.Request) (map[string]any, *httptest.ResponseRecorder, *prometheus.Registry) {
	t.Helper()
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	rec, err := event.NewRecorder(slog.New(slog.NewJSONHandler(&log, nil)), registry)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	rec.Handler(h, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }).ServeHTTP(w, r)
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Fatalf("%d log events, want 1:\n%s", n, &log)
	}
	var ev map[string]any
	if err := json.Unmarshal(log.Bytes(), &ev); err != nil {
		t.Fatal(err)
	}
	return ev, w, registry
}

func TestOneEventAndOneObservationPerRequest(t *testing.T) {
	r := httptest.NewRequest("BREW", "/v1/parties/50076451/validate", nil)
	r.Header.Set("X-Request-Id", "trace-1")
	ev, w, registry := record(t, func(w http.ResponseWriter, r *http.Request) {
		e := event.From(r.Context())
		e.Route, e.Reason, e.Err = "/v1/parties/{party_id}/validate", "OTHER_USER", errors.New("why")
		w.WriteHeader(403)
		_, _ = io.WriteString(w, "four")
	}, r)
	if ev["duration"] == nil || ev["time"] == nil {
		t.Errorf("no duration or time in %v", ev)
	}
	delete(ev, "duration")
	delete(ev, "time")
	want := map[string]any{
		"level": "INFO", "msg": "http request", "method": "OTHER", "route": "/v1/parties/{party_id}/validate",
		"status": 403.0, "bytes": 4.0, "request_id": "trace-1", "reason": "OTHER_USER", "error": "why",
		"peer": r.RemoteAddr,
	}
	if diff := cmp.Diff(want, ev); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if got := w.Header().Get("X-Request-Id"); got != "trace-1" {
		t.Errorf("X-Request-Id = %q", got)
	}
	got := series(t, registry)
	wantSeries := []string{
		`behalf_http_request_duration_seconds{method="OTHER",route="/v1/parties/{party_id}/validate"} 1`,
		`behalf_http_requests_total{method="OTHER",route="/v1/parties/{party_id}/validate",status="403"} 1`,
	}
	if diff := cmp.Diff(wantSeries, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// What was wrong with a request may be about a person.
func TestErrorsThatMayRepeatTheRequestStayOut(t *testing.T) {
	for status, told := range map[int]bool{400: false, 401: true, 403: true, 404: false, 409: false, 429: false, 499: false, 500: true, 503: true} {
		ev, _, _ := record(t, func(w http.ResponseWriter, r *http.Request) {
			event.From(r.Context()).Err = errors.New("invalid value 14827510360")
			w.WriteHeader(status)
		}, httptest.NewRequest(http.MethodGet, "/", nil))
		if _, got := ev["error"]; got != told {
			t.Errorf("status %d: error told is %v, want %v: %v", status, got, told, ev)
		}
	}
}

// series returns every series of a registry with its count.
func series(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			count := m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			out = append(out, fmt.Sprintf("%s{%s} %v", family.GetName(), strings.Join(labels, ","), count))
		}
	}
	return out
}

func TestRequestIDIsMadeWhenNoneIsSound(t *testing.T) {
	for _, sent := range []string{"", "a b", "a\"b", "ø", strings.Repeat("x", 129), "a,b"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Request-Id", sent)
		ev, w, _ := record(t, func(http.ResponseWriter, *http.Request) {}, r)
		id, _ := ev["request_id"].(string)
		if len(id) != 32 || id == sent || w.Header().Get("X-Request-Id") != id {
			t.Errorf("id for %q is %q", sent, id)
		}
	}
}

func TestPanicIsAnsweredAndRecorded(t *testing.T) {
	ev, w, _ := record(t, func(http.ResponseWriter, *http.Request) { panic("boom") }, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != 500 || ev["status"] != 500.0 || ev["level"] != "ERROR" || ev["route"] != "unmatched" {
		t.Errorf("status %d, event %v", w.Code, ev)
	}
	if text, _ := ev["error"].(string); !strings.HasPrefix(text, "panic: boom\n") {
		t.Errorf("error = %q", text)
	}
}

func TestPanicInHalfAnAnswerCutsTheConnection(t *testing.T) {
	rec, err := event.NewRecorder(slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(rec.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
		panic("boom")
	}), func(http.ResponseWriter, *http.Request) { t.Error("a second answer was begun") }))
	defer srv.Close()
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		return // cut before the headers went
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the client read a whole answer")
	}
}
