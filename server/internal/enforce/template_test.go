package enforce_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/enforce"
)

// TestParameters asks about the object that path, headers and token name, and about none
// when one of them says nothing, or something that could be read as more.
func TestParameters(t *testing.T) {
	const file = `routes:
  - {name: path, methods: [GET], path: "/path/{id}/{part}", rule: {relation: "document:{path.id}/{path.part}#view"}}
  - {name: header, methods: [GET], path: /header, rule: {relation: "tenant:{header.X-Tenant}#member"}}
  - {name: own, methods: [GET], path: /own, rule: {relation: "party:{user.party}#represent"}}
  - {name: subject, methods: [GET], path: /subject, rule: {relation: "account:{user.subject}_{user.org}#owner"}}
  - {name: acting, methods: [GET], path: "/acting/{p}", party: {parameter: p}, rule: {relation: "office:{party.id}#open"}}
`
	who := caller.Caller{Kind: caller.User, UserID: 7, PartyID: 1, IssuedTo: "ola-1", Org: "skd"}
	header := func(value string) enforce.Header { return enforce.Header{Name: "x-tenant", Value: value} }
	for _, row := range []struct {
		path    string
		headers []enforce.Header
		want    string // the last object and permission that is asked about, empty when none is
	}{
		{"/path/a/b", nil, "document:a/b#view"},
		{"/path/a/b%20c", nil, ""},
		{"/path/a/b%23c", nil, ""},
		{"/path/a/*", nil, ""},
		{"/path/a/..b", nil, ""},
		{"/path/a/b.c", nil, ""},
		{"/path/a/%C3%A6", nil, ""},
		{"/header", nil, ""},
		{"/header", []enforce.Header{header("acme")}, "tenant:acme#member"},
		{"/header", []enforce.Header{header("acme"), header("acme")}, ""},
		{"/header", []enforce.Header{header("acme"), {Name: "X_Tenant", Value: "other"}}, ""},
		{"/header", []enforce.Header{header("acme/x")}, ""},
		{"/header", []enforce.Header{header("acme,other")}, ""},
		{"/header", []enforce.Header{header("a:b#c")}, ""},
		{"/header?x-tenant=acme", nil, ""},
		{"/own", nil, "party:1#represent"},
		{"/subject", nil, "account:ola-1_skd#owner"},
		{"/acting/1", nil, "office:1#open"},
		{"/acting/2", nil, ""}, // no such party
	} {
		w := &world{who: who, answers: yes}
		s, err := open(t, w, file, map[string]string{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Authorize(t.Context(), get(row.path, append(row.headers, bearer)...))
		got := ""
		if n := len(w.asked); n > 0 {
			got = w.asked[n-1].Object.String() + "#" + w.asked[n-1].Permission
		}
		if err != nil || got != row.want || (v.Outcome == enforce.Allowed) != (row.want != "") {
			t.Errorf("%s %v: asked about %q, %v, %v; want %q", row.path, row.headers, got, v, err, row.want)
		}
	}
}
