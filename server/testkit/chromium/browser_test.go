package chromium_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/chromium"
)

// TestBrowser sends a form over TLS.
func TestBrowser(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<form action=/sent><input name=q><button>send</button></form><p>` + r.URL.Query().Get("q")))
	}))
	t.Cleanup(s.Close)
	b := chromium.Open(t, s.Certificate())
	b.Go(s.URL)
	b.Fill("input", "hello")
	b.Press("button")
	if b.Address() != s.URL+"/sent?q=hello" || !strings.Contains(b.Text(), "hello") {
		t.Errorf("at %s: %s", b.Address(), b.Text())
	}
}
