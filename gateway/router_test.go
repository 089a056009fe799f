package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The last address of the chain is our own peer, whatever the client claims came before.
func TestForwardedFor(t *testing.T) {
	for _, c := range []struct {
		name   string
		sent   []string
		remote string
		want   string
	}{
		{"no proxy", nil, "192.0.2.1:4711", "192.0.2.1"},
		{"IPv6", nil, "[2001:db8::1]:4711", "2001:db8::1"},
		{"one proxy", []string{"198.51.100.7"}, "192.0.2.1:4711", "198.51.100.7, 192.0.2.1"},
		{"two headers", []string{"198.51.100.7", "203.0.113.9"}, "192.0.2.1:4711", "198.51.100.7, 203.0.113.9, 192.0.2.1"},
		{"too long", []string{strings.Repeat("9", maxForwardedFor+1)}, "192.0.2.1:4711", "192.0.2.1"},
		{"no text", []string{"a\xff"}, "192.0.2.1:4711", "192.0.2.1"},
		{"no peer", []string{"198.51.100.7"}, "@", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["X-Forwarded-For"], r.RemoteAddr = c.sent, c.remote
		if got := forwardedFor(r); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A door has a deadline, and no client can set or lift it.
func TestDoorsHaveADeadline(t *testing.T) {
	var left time.Duration
	door := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		deadline, ok := r.Context().Deadline()
		if !ok {
			t.Errorf("%s has no deadline", r.URL.Path)
		}
		left = time.Until(deadline)
	})
	rt := &router{timeout: time.Minute, rest: door, altinn: door}
	for _, path := range []string{"/v1/parties", "/authorization/api/v1/parties"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Grpc-Timeout", "9H")
		rt.ServeHTTP(httptest.NewRecorder(), r)
		if left <= 0 || left > time.Minute {
			t.Errorf("%s has %s left", path, left)
		}
	}
}
