package enforce_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// world is what the service asks, gone wrong as the test wants.
type world struct {
	pin, check, unknown, record error
	panics                      bool
	answers                     []relation.Answer
	decisions                   []decision.Answer
	recorded                    int
	who                         caller.Caller
	asked                       []relation.Question
}

func (w *world) Pin(ctx context.Context, _ relation.At) (context.Context, relation.Revision, error) {
	return ctx, "r1", w.pin
}

func (w *world) Check(_ context.Context, _ relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error) {
	w.asked = append(w.asked, questions...)
	if w.panics {
		panic("a walk into nothing")
	}
	return w.answers, "r1", w.check
}

func (w *world) Resources(context.Context, relation.At, string, string, relation.Subject) ([]string, relation.Revision, error) {
	return nil, "r1", w.check
}

func (w *world) Decide(context.Context, decision.Request) (decision.Response, error) {
	if w.panics {
		panic("a policy of nothing")
	}
	return decision.Response{Answers: w.decisions}, w.check
}

func (w *world) Authenticate(context.Context, authn.Secret) (caller.Caller, error) {
	return w.who, w.unknown
}
func (w *world) Session(context.Context, authn.Secret) (caller.Caller, error) {
	return w.who, w.unknown
}

func (w *world) Record(_ context.Context, records []decision.Record) error {
	w.recorded += len(records)
	return w.record
}

const routes = `
identity: {preset: mia}
routes:
  - {name: open, methods: ["*"], path: "/open/**", rule: {public: true}}
  - {name: all, methods: [GET], path: "/**", host: all.example.com, rule: {public: true}}
  - {name: wild, methods: [GET], path: "/w", host: "*.example.com", rule: {public: true}}
  - {name: known, methods: ["*"], path: /known, rule: {authenticated: true}}
  - {name: relation, methods: [GET], path: "/relation/{id}", rule: {relation: "party:{path.id}#represent"}}
  - {name: party, methods: [GET], path: "/party/{id}", party: {parameter: id}, rule: {authenticated: true}}
  - {name: decision, methods: [GET], path: /decision, rule: {decision: {resource: r, action: read}}}
  - {name: either, methods: [GET], path: "/either/{id}", rule: {any: [{relation: "party:{path.id}#represent"}, {groups: [admin]}]}}
  - {name: both, methods: [GET], path: "/both", rule: {all: [{groups: [admin]}, {permissions: ["read:orders"]}, {level: 3}]}}
`

func service(t *testing.T, w *world) *enforce.Service {
	t.Helper()
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	logger := slog.New(slog.DiscardHandler)
	held, err := enforce.OpenRoutes(enforce.RoutesConfig{Path: file, Logger: logger, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	directory := party.NewDirectory()
	directory.Apply([]party.Party{{ID: 1, Kind: party.Person, UserID: 7, Login: true}}, nil)
	s, err := enforce.New(enforce.Config{
		Routes: held, Relations: w, Decisions: w, Parties: directory, Authenticator: w, SessionCookie: "sid", Auditor: w,
		Logger: logger, Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(path string, headers ...enforce.Header) enforce.Request {
	return enforce.Request{Method: "GET", Scheme: "https", Host: "a.test", Target: path, Headers: headers}
}

var (
	bearer = enforce.Header{Name: "Authorization", Value: "Bearer x"}
	kari   = caller.Caller{Kind: caller.User, UserID: 7, PartyID: 1, Level: 3, Groups: []string{"admin", "a,b"}, Permissions: []string{"read:orders"}}
	yes    = []relation.Answer{{Allowed: true}}
	permit = []decision.Answer{{Result: xacml.Result{Decision: xacml.Permit}}}
)

// TestWhateverGoesWrongClosesTheDoor goes through the ways in which an answer fails to come.
func TestWhateverGoesWrongClosesTheDoor(t *testing.T) {
	broken := errors.New("the store is dead")
	asking := []string{"/relation/1", "/party/1", "/decision", "/either/1"}
	for name, row := range map[string]struct {
		world world
		paths []string
	}{
		"dead store":         {world{who: kari, pin: broken, answers: yes, decisions: permit}, asking},
		"failing answers":    {world{who: kari, check: broken, answers: yes, decisions: permit}, asking},
		"panic":              {world{who: kari, panics: true}, asking},
		"no answers":         {world{who: kari}, asking},
		"two answers":        {world{who: kari, answers: append(yes, yes...), decisions: append(permit, permit...)}, asking},
		"answer with error":  {world{who: kari, answers: []relation.Answer{{Allowed: true, Err: broken}}}, []string{"/relation/1", "/party/1", "/either/1"}},
		"full audit disk":    {world{who: kari, answers: yes, record: broken}, []string{"/relation/1", "/party/1", "/either/1"}},
		"dead authenticator": {world{who: kari, unknown: fault.New(fault.Unavailable, fault.ReasonUnavailable, "x"), answers: yes, decisions: permit}, append(asking, "/known", "/both")},
	} {
		s := service(t, &row.world)
		for _, path := range row.paths {
			v, err := s.Authorize(t.Context(), get(path, bearer))
			if err == nil || v.Outcome == enforce.Allowed || len(v.Identity) > 0 {
				t.Errorf("%s: %s: %v, %v", name, path, v, err)
			}
		}
		v, err := s.Authorize(t.Context(), get("/open/x", bearer))
		if err != nil || v.Outcome != enforce.Allowed {
			t.Errorf("%s: a public route: %v, %v", name, v, err)
		}
	}
}

// TestDenials goes through what is answered, and denied.
func TestDenials(t *testing.T) {
	obliging := func(id, category, value string) []decision.Answer {
		return []decision.Answer{{Result: xacml.Result{Decision: xacml.Permit, Obligations: []xacml.Obligation{{
			ID: id, Assignments: []xacml.Assignment{{Category: category, Value: xacml.StringValue(value)}},
		}}}}}
	}
	const level = "urn:altinn:minimum-authenticationlevel"
	service7 := caller.Caller{Kind: caller.Service, Name: "x", UserID: 7, Level: 4, Scopes: []caller.Scope{caller.Admin}}
	stranger := caller.Caller{Kind: caller.User, Level: 4, Groups: []string{"admin"}}
	for name, row := range map[string]struct {
		world world
		path  string
		want  enforce.Outcome
	}{
		"zero relation":        {world{who: kari, answers: make([]relation.Answer, 1)}, "/relation/1", enforce.Denied},
		"zero for a party":     {world{who: kari, answers: make([]relation.Answer, 1)}, "/party/1", enforce.Denied},
		"zero decision":        {world{who: kari, decisions: make([]decision.Answer, 1)}, "/decision", enforce.Denied},
		"zero caller":          {world{answers: yes, decisions: permit}, "/known", enforce.Unauthenticated},
		"permit":               {world{who: kari, decisions: permit}, "/decision", enforce.Allowed},
		"level reached":        {world{who: kari, decisions: obliging("o", level, "3")}, "/decision", enforce.Allowed},
		"level missed":         {world{who: kari, decisions: obliging("o", level, "4")}, "/decision", enforce.StepUp},
		"level of orgs":        {world{who: kari, decisions: obliging("o", level+"-org", "4")}, "/decision", enforce.Allowed},
		"level is no number":   {world{who: kari, decisions: obliging("o", level, "x")}, "/decision", enforce.Denied},
		"obligation unknown":   {world{who: kari, decisions: obliging("o", "urn:other", "1")}, "/decision", enforce.Denied},
		"obligation empty":     {world{who: kari, decisions: []decision.Answer{{Result: xacml.Result{Decision: xacml.Permit, Obligations: []xacml.Obligation{{ID: "o"}}}}}}, "/decision", enforce.Denied},
		"a service's relation": {world{who: service7, answers: yes}, "/relation/1", enforce.Denied},
		"a service's party":    {world{who: service7, answers: yes}, "/party/1", enforce.Denied},
		"a service's decision": {world{who: service7, decisions: permit}, "/decision", enforce.Denied},
		"no user's relation":   {world{who: stranger, answers: yes}, "/relation/1", enforce.Denied},
		"no user's party":      {world{who: stranger, answers: yes}, "/party/1", enforce.Denied},
		"no user's decision":   {world{who: stranger, decisions: permit}, "/decision", enforce.Denied},
		"no user's group":      {world{who: stranger, answers: yes}, "/either/1", enforce.Allowed},
		"unknown party":        {world{who: kari, answers: yes}, "/party/2", enforce.Denied},
		"all of them":          {world{who: kari}, "/both", enforce.Allowed},
		"all but one":          {world{who: stranger}, "/both", enforce.Denied},
		"wrong id":             {world{who: kari, answers: yes}, "/relation/a.b", enforce.Denied},
		"wildcard id":          {world{who: kari, answers: yes}, "/relation/*", enforce.Denied},
	} {
		v, err := service(t, &row.world).Authorize(t.Context(), get(row.path, bearer))
		if err != nil || v.Outcome != row.want {
			t.Errorf("%s: %v, %v; want %s", name, v, err, row.want)
		}
	}
}

// TestHosts says whose routes count.
func TestHosts(t *testing.T) {
	s := service(t, &world{})
	for _, row := range []struct {
		host, path string
		want       enforce.Outcome
		route      string
	}{
		{"all.example.com", "/anything", enforce.Allowed, "all"},
		{"ALL.example.COM.:443", "/", enforce.Allowed, "all"},
		{"b.example.com", "/w", enforce.Allowed, "wild"},
		{"b.example.com", "/open/x", enforce.Denied, ""}, // its owner's routes decide alone
		{"c.b.example.com", "/w", enforce.Denied, ""},
		{"example.com", "/open/x", enforce.Allowed, "open"},
		{"all.example.com.evil.test", "/known", enforce.Unauthenticated, "known"},
		{"[::1]:80", "/open/x", enforce.Allowed, "open"},
		{"", "/open/x", enforce.Malformed, ""}, {"a b", "/open/x", enforce.Malformed, ""}, {"a:b", "/open/x", enforce.Malformed, ""},
		{"a@b", "/open/x", enforce.Malformed, ""}, {"a..b", "/open/x", enforce.Malformed, ""}, {"a%00", "/open/x", enforce.Malformed, ""},
		{"a,b", "/open/x", enforce.Malformed, ""}, {"[::1", "/open/x", enforce.Malformed, ""},
	} {
		r := get(row.path)
		r.Host = row.host
		if v, err := s.Authorize(t.Context(), r); err != nil || v.Outcome != row.want || v.Route != row.route {
			t.Errorf("%s%s: %v, %v; want %s %q", row.host, row.path, v, err, row.want, row.route)
		}
	}
}

// TestIdentityHeaders says what the service behind the gateway gets, and what is taken away.
func TestIdentityHeaders(t *testing.T) {
	s := service(t, &world{who: kari})
	r := get("/known", bearer, enforce.Header{Name: "MiaUserId", Value: "1"}, enforce.Header{Name: "Client_Type", Value: "x"},
		enforce.Header{Name: "Behalf-User", Value: "1"}, enforce.Header{Name: "behalf_user", Value: "1"})
	r.Removes = true
	v, err := s.Authorize(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, h := range v.Identity {
		told[h.Name] = h.Value
	}
	for name, want := range map[string]string{
		"miauserid": "7", "miausergroups": "admin", "miauserproperties": "", "client-type": "", "isbackoffice": "", "Behalf-User": "",
		"Behalf-Level": "", "Behalf-Party-Id": "", "Behalf-Party-Uuid": "", "Behalf-Party-Org": "",
	} {
		if got, there := told[name]; !there || got != want {
			t.Errorf("%s: %q, %v", name, got, there)
		}
	}
	if !slices.Equal(v.Remove, []string{"Client_Type", "behalf_user"}) {
		t.Errorf("removed: %q", v.Remove)
	}
	for _, h := range []enforce.Header{
		{Name: "Connection", Value: "close, MIAUSERID"}, {Name: "connection", Value: "Behalf-Party"}, {Name: "a b", Value: "x"}, {Name: "A", Value: "x\r\nmiauserid: 1"}, {},
	} {
		r := get("/known", bearer, h)
		r.Removes = true
		if v, err := s.Authorize(t.Context(), r); err != nil || v.Outcome != enforce.Malformed {
			t.Errorf("%q: %v, %v", h, v, err)
		}
	}
}

// TestCrossSite keeps out what another site has a browser send with its cookie.
func TestCrossSite(t *testing.T) {
	s := service(t, &world{who: kari})
	for _, row := range []struct {
		method string
		header enforce.Header
		want   enforce.Outcome
	}{
		{"GET", enforce.Header{Name: "Sec-Fetch-Site", Value: "cross-site"}, enforce.Allowed},
		{"POST", enforce.Header{Name: "Sec-Fetch-Site", Value: "cross-site"}, enforce.Denied},
		{"POST", enforce.Header{Name: "Sec-Fetch-Site", Value: "same-site"}, enforce.Denied},
		{"POST", enforce.Header{Name: "Sec-Fetch-Site", Value: "same-origin"}, enforce.Allowed},
		{"POST", enforce.Header{Name: "Origin", Value: "https://a.test"}, enforce.Allowed},
		{"POST", enforce.Header{Name: "Origin", Value: "http://a.test"}, enforce.Denied},
		{"DELETE", enforce.Header{Name: "Origin", Value: "null"}, enforce.Denied},
		{"POST", enforce.Header{Name: "X", Value: ""}, enforce.Allowed},
	} {
		r := get("/known", enforce.Header{Name: "Cookie", Value: "sid=abc"}, row.header)
		r.Method = row.method
		if v, err := s.Authorize(t.Context(), r); err != nil || v.Outcome != row.want {
			t.Errorf("%s with %v: %v, %v", row.method, row.header, v, err)
		}
	}
}

// TestNoRoutes keeps everybody out.
func TestNoRoutes(t *testing.T) {
	registry, logger := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	none, err := enforce.OpenRoutes(enforce.RoutesConfig{Logger: logger, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{who: kari}
	s, err := enforce.New(enforce.Config{
		Routes: none, Relations: w, Decisions: w, Parties: party.NewDirectory(), Authenticator: w, SessionCookie: "sid", Logger: logger, Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := s.Authorize(t.Context(), get("/", bearer)); err != nil || v.Outcome != enforce.Denied || v.Reason != enforce.ReasonNoRoute {
		t.Errorf("%v, %v", v, err)
	}
	if (enforce.Verdict{}).Outcome == enforce.Allowed {
		t.Error("the zero verdict lets in")
	}
}
