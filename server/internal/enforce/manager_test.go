package enforce_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// managing knows people as a test wants.
type managing struct {
	who   caller.Caller
	err   error
	asked int
	hangs bool
	// cookies is what it was last told of them.
	cookies []string
}

func (m *managing) Ask(ctx context.Context, header func(string) []string) (caller.Caller, error) {
	m.asked++
	if m.hangs {
		<-ctx.Done()
		return caller.Caller{}, fault.New(fault.Unavailable, fault.ReasonUnavailable, "x").Because(ctx.Err())
	}
	m.cookies = header("cookie")
	return m.who, m.err
}

// TestManagerOfOthers goes through what becomes of requests that a manager of others is
// asked about.
func TestManagerOfOthers(t *testing.T) {
	const text = `
identity: {preset: mia}
routes:
  - {name: open, methods: ["*"], path: /open, rule: {public: true}}
  - {name: known, methods: ["*"], path: /known, rule: {authenticated: true}}
  - {name: admin, methods: ["*"], path: /admin, rule: {groups: [admin]}}
  - {name: for, methods: ["*"], path: "/for/{id}", party: {parameter: id}, rule: {authenticated: true}}
`
	invalid := fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "x")
	down := fault.New(fault.Unavailable, fault.ReasonUnavailable, "x")
	theirs := caller.Caller{Kind: caller.User, Managed: true, Issuer: "mia", IssuedTo: "5f8d", Groups: []string{"admin"}}
	linked := theirs
	linked.UserID = 7
	numbered := theirs
	numbered.IssuedTo = "20000490"
	cookie := enforce.Header{Name: "Cookie", Value: "sid=x"}
	for name, row := range map[string]struct {
		ours    caller.Caller
		unknown error // of ours
		manager managing
		request enforce.Request
		want    string // the id that the service sees, or why it sees nobody
		asked   int
	}{
		"ours counts":                     {kari, nil, managing{who: theirs}, get("/known", bearer), "7", 0},
		"a token of theirs":               {caller.Caller{}, invalid, managing{who: theirs}, get("/known", bearer), "5f8d", 1},
		"a cookie of theirs":              {caller.Caller{}, invalid, managing{who: theirs}, get("/admin", cookie), "5f8d", 1},
		"who is linked":                   {caller.Caller{}, invalid, managing{who: linked}, get("/for/3", cookie), "7", 1},
		"who is not linked":               {caller.Caller{}, invalid, managing{who: theirs}, get("/for/3", cookie), "RULE_DENIES", 1},
		"who is called as a user here is": {caller.Caller{}, invalid, managing{who: numbered}, get("/known", cookie), "", 1},
		"nobody":                          {caller.Caller{}, nil, managing{}, get("/known"), "CREDENTIALS_MISSING", 1},
		"nobody, by what is wrong":        {caller.Caller{}, invalid, managing{}, get("/known", bearer), "CREDENTIALS_INVALID", 1},
		"refused":                         {caller.Caller{}, nil, managing{err: invalid}, get("/known", cookie), "CREDENTIALS_INVALID", 1},
		"it is down":                      {caller.Caller{}, invalid, managing{err: down}, get("/known", bearer), "error", 1},
		"it is down, at an open route":    {caller.Caller{}, invalid, managing{err: down}, get("/open", bearer), "", 1},
		"it hangs, at an open route":      {caller.Caller{}, invalid, managing{hangs: true}, get("/open", bearer), "", 1},
		"our store is down":               {caller.Caller{}, down, managing{who: theirs}, get("/known", bearer), "error", 0},
		"another site's form": {caller.Caller{}, invalid, managing{who: theirs}, enforce.Request{
			Method: "POST", Scheme: "https", Host: "a.test", Target: "/known",
			Headers: []enforce.Header{cookie, {Name: "Sec-Fetch-Site", Value: "cross-site"}},
		}, "CROSS_SITE", 1},
		"another site's form, to which the browser adds a password": {caller.Caller{}, invalid, managing{who: theirs}, enforce.Request{
			Method: "POST", Scheme: "https", Host: "a.test", Target: "/known",
			Headers: []enforce.Header{{Name: "Cookie", Value: "sid=x; theirs=y"}, {Name: "Authorization", Value: "Basic a2FyaTp4"}, {Name: "Sec-Fetch-Site", Value: "same-site"}},
		}, "CROSS_SITE", 1},
	} {
		w := &world{who: row.ours, unknown: row.unknown, answers: yes}
		c := configOf(t, text, w, w)
		c.Manager = &row.manager
		s, err := enforce.New(c)
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Authorize(t.Context(), row.request)
		got := string(v.Reason)
		if id, there := header(v, "miauserid"); there {
			got = id
		}
		if err != nil {
			got = "error"
		}
		for _, c := range row.manager.cookies {
			if header := row.request.Headers; len(header) > 1 && header[1].Name == "Authorization" && strings.Contains(c, "sid=") {
				t.Errorf("%s: the manager was told of %q", name, c)
			}
		}
		if got != row.want || row.manager.asked != row.asked {
			t.Errorf("%s: %q, asked %d times, %v; want %q, %d", name, got, row.manager.asked, err, row.want, row.asked)
		}
	}
}

// TestManagerProperties passes on what a manager says besides, and nothing else of it.
func TestManagerProperties(t *testing.T) {
	const text = `
mia: {user_properties: [level], manager_properties: [email, name, age, none]}
routes:
  - {name: known, methods: [GET], path: /known, rule: {authenticated: true}}
`
	w := &world{unknown: fault.New(fault.Unauthenticated, fault.ReasonCredentialsInvalid, "x")}
	c := configOf(t, text, w, w)
	c.Manager = &managing{who: caller.Caller{
		Kind: caller.User, Managed: true, Issuer: "mia", IssuedTo: "5f8d",
		Told: map[string]json.RawMessage{"email": []byte(`"k@x"`), "name": []byte(`"Åse"`), "age": []byte(" 5 "), "pid": []byte(`"1"`)},
	}}
	s, err := enforce.New(c)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Authorize(t.Context(), get("/known", bearer))
	if err != nil || v.Mia.UserID != "5f8d" || v.Mia.UserProperties != `{"age":5,"email":"k@x","level":0,"name":"\u00c5se"}` {
		t.Errorf("%+v, %v", v, err)
	}
	for _, wrong := range []string{"[level]", "[email, email]", "['']"} {
		_, err := enforce.Parse([]byte("mia: {manager_properties: " + wrong + "}\nroutes: [{name: a, methods: [GET], path: /, rule: {public: true}}]"))
		if err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
