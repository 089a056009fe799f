package deploy_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// seen is a request as the service behind a gateway sees it.
type seen struct {
	Method  string
	Host    string
	Target  string // as it is in the request line
	Headers http.Header
}

// identityHeaders are the names of the plain preset.
var identityHeaders = []string{"Behalf-User", "Behalf-Level", "Behalf-Party-Id", "Behalf-Party-Uuid", "Behalf-Party-Org"}

// alike returns the name that the most forgiving service takes the name of a header for.
func alike(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

// values returns what a forgiving service takes for the values of a header.
func (s seen) values(name string) (all []string) {
	for line, values := range s.Headers {
		if alike(line) == alike(name) {
			all = append(all, values...)
		}
	}
	return all
}

// chosen returns the parties that the request's cookies name.
func (s seen) chosen() (all []string) {
	for _, c := range (&http.Request{Header: http.Header{"Cookie": s.values("Cookie")}}).CookiesNamed("AltinnPartyId") {
		all = append(all, c.Value)
	}
	return all
}

// identity returns what the service is told of who asks.
func (s seen) identity() string {
	told := make([]string, 0, len(identityHeaders))
	for _, name := range identityHeaders {
		told = append(told, strings.Join(s.values(name), " and "))
	}
	return strings.Join(told, "|")
}

// upstream is a service that answers with what it sees.
type upstream struct {
	address string
	mu      sync.Mutex
	had     []seen
	taken   int // how many of them were taken
}

func startUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{}
	s := httptest.NewServer(u)
	t.Cleanup(s.Close)
	u.address = strings.TrimPrefix(s.URL, "http://")
	if _, _, err := net.SplitHostPort(u.address); err != nil {
		t.Fatal(err)
	}
	return u
}

// ServeHTTP remembers the request, and shows it.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := seen{r.Method, r.Host, r.RequestURI, r.Header.Clone()}
	u.mu.Lock()
	u.had = append(u.had, s)
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"target": s.Target, "identity": s.identity()})
}

// take returns the request that came since it was asked last, the latest of several, and nil if
// none did.
func (u *upstream) take() *seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.taken == len(u.had) {
		return nil
	}
	u.taken = len(u.had)
	return &u.had[u.taken-1]
}

// all returns every request that came.
func (u *upstream) all() []seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.had)
}
