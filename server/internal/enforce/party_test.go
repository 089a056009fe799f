package enforce_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// represents says of which parties user 7 is a representative.
type represents struct {
	world
	parties []string
	asked   int
}

func (r *represents) Check(_ context.Context, _ relation.At, q ...relation.Question) ([]relation.Answer, relation.Revision, error) {
	r.asked++
	for _, id := range r.parties {
		if q[0].Object.ID == id && q[0].Permission == relation.Represent && q[0].Subject == relation.User(7) {
			return yes, "r1", nil
		}
	}
	return []relation.Answer{{}}, "r1", nil
}

// TestActingParty goes through where a request says for which party it is made, and in which
// order that counts.
func TestActingParty(t *testing.T) {
	const text = `
routes:
  - {name: path, methods: [GET], path: "/p/{id}/**", party: {parameter: id}, rule: {authenticated: true}}
  - {name: any, methods: [GET], path: /x, party: {}, rule: {authenticated: true}}
`
	w := &represents{parties: []string{"1", "2", "3", "4", "5"}}
	s := serviceOf(t, text, w, w)
	header := func(v string) enforce.Header { return enforce.Header{Name: "Behalf-Party", Value: v} }
	cookie := func(v string) enforce.Header { return enforce.Header{Name: "Cookie", Value: v} }
	session := cookie("sid=x")
	for name, row := range map[string]struct {
		path    string
		chosen  int64
		headers []enforce.Header
		want    string // the party, or why not
	}{
		"the path first":               {"/p/2/x", 5, []enforce.Header{session, header("3"), cookie("AltinnPartyId=4")}, "2"},
		"then the header":              {"/x", 5, []enforce.Header{session, header("3"), cookie("AltinnPartyId=4")}, "3"},
		"then the cookie":              {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=4")}, "4"},
		"in a line of its own":         {"/x", 5, []enforce.Header{session, cookie("AltinnPartyId=4")}, "4"},
		"beside a token":               {"/x", 0, []enforce.Header{bearer, cookie("AltinnPartyId=4")}, "4"},
		"then what the session chose":  {"/x", 5, []enforce.Header{session}, "5"},
		"then his own":                 {"/x", 0, []enforce.Header{session}, "1"},
		"an empty header is none":      {"/x", 5, []enforce.Header{session, header("")}, "5"},
		"an empty cookie is none":      {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=")}, "5"},
		"one cookie twice":             {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=4; AltinnPartyId=4")}, "4"},
		"cookies that differ":          {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=4; AltinnPartyId=3")}, "REQUEST_MALFORMED"},
		"headers that differ":          {"/x", 5, []enforce.Header{session, header("4"), header("3")}, "REQUEST_MALFORMED"},
		"another's in the path":        {"/p/6/x", 5, []enforce.Header{session, header("3")}, "PARTY_NOT_REPRESENTED"},
		"another's in the header":      {"/x", 5, []enforce.Header{session, header("6")}, "PARTY_NOT_REPRESENTED"},
		"another's in the cookie":      {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=6")}, "PARTY_NOT_REPRESENTED"},
		"another's, chosen before":     {"/x", 6, []enforce.Header{session}, "PARTY_NOT_REPRESENTED"},
		"a cookie of nobody":           {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=nobody")}, "PARTY_NOT_REPRESENTED"},
		"a cookie of a negative party": {"/x", 5, []enforce.Header{cookie("sid=x; AltinnPartyId=-4")}, "PARTY_NOT_REPRESENTED"},
	} {
		w.who = caller.Caller{Kind: caller.User, UserID: 7, Chosen: row.chosen}
		v, err := s.Authorize(t.Context(), get(row.path, row.headers...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := string(v.Reason)
		for _, h := range v.Identity {
			if h.Name == "Behalf-Party-Id" {
				got = h.Value
			}
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
	// Nothing is remembered: what he may no longer do is refused at the next request.
	w.who, w.parties, w.asked = caller.Caller{Kind: caller.User, UserID: 7, Chosen: 5}, nil, 0
	if v, err := s.Authorize(t.Context(), get("/x", session)); err != nil || v.Reason != enforce.ReasonPartyNotRepresented || w.asked != 1 {
		t.Errorf("after the right is gone: %+v, %v, asked %d times", v, err, w.asked)
	}
}

// serviceOf returns a service with the routes, which asks w.
func serviceOf(t *testing.T, text string, relations enforce.Relations, w enforce.Authenticator) *enforce.Service {
	t.Helper()
	s, err := enforce.New(configOf(t, text, relations, w))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// configOf returns what such a service needs. User 7 is party 1.
func configOf(t *testing.T, text string, relations enforce.Relations, w enforce.Authenticator) enforce.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(strings.TrimSpace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	registry, logger := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	held, err := enforce.OpenRoutes(enforce.RoutesConfig{Path: file, Logger: logger, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	directory := party.NewDirectory()
	parties := []party.Party{{ID: 1, Kind: party.Person, UserID: 7, Login: true}}
	for id := party.ID(2); id <= 6; id++ {
		parties = append(parties, party.Party{ID: id, Kind: party.Organisation})
	}
	directory.Apply(parties, nil)
	return enforce.Config{
		Routes: held, Relations: relations, Decisions: &world{}, Parties: directory, Authenticator: w, SessionCookie: "sid",
		Logger: logger, Registerer: registry,
	}
}
