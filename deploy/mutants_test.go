package deploy_test

import (
	"strings"
	"testing"
)

// mutants are changes of the examples, each of which opens a door.
var mutants = []struct {
	gateway, what string
	old, new      string // text of an example
}{
	{"nginx", "the client's user is left", "proxy_set_header Behalf-User $behalf_user;", ""},
	{"nginx", "the client's party is left", "proxy_set_header Behalf-Party-Uuid $behalf_party_uuid;", ""},
	{"nginx", "the path is what the client tells", "proxy_set_header X-Original-URI $request_uri;", ""},
	{"nginx", "the method is what the client tells", "proxy_set_header X-Original-Method $request_method;", ""},
	{"nginx", "the host is what the client tells", "proxy_set_header X-Forwarded-Host $http_host;", ""},
	{"nginx", "the service gets another path", "proxy_pass http://service;", "proxy_pass http://service/open/admin/;"},
	{"nginx", "methods may be overridden", `proxy_set_header X-HTTP-Method-Override "";`, ""},
	{"nginx", "paths may be replaced", `proxy_set_header X-Original-URL "";` + "\n" + `proxy_set_header X-Rewrite-URL "";`, ""},
	{"nginx", "hosts may be replaced", "proxy_set_header X-Forwarded-Host $http_host;\nproxy_set_header X-Forwarded-Proto", "proxy_set_header X-Forwarded-Proto"},
	{"nginx", "nobody is asked", "auth_request /.behalf;", ""},
	{"Caddy", "what Behalf says may be removed", "error @removing 400", ""},
	{"Caddy", "the protocol may be changed", "request_header @upgrade Upgrade websocket", ""},
	{"Caddy", "a party is not copied", "Behalf-Party-Uuid Behalf-Party-Org", "Behalf-Party-Org"},
	{"Caddy", "methods may be overridden", "request_header -X-Http-Method-Override", ""},
	{"Caddy", "paths may be replaced", "request_header -X-Rewrite-Url", ""},
	{"Caddy", "another path is judged", "uri /authz/forward\n", "uri /authz/forward\n\t\t\t\theader_up X-Forwarded-Uri /open/a\n"},
}

// TestHygieneFindsFaults proves that the table can fail: it does for every mutant.
func TestHygieneFindsFaults(t *testing.T) {
	w := startWorld(t, "", "")
	for _, m := range mutants {
		t.Run(m.gateway+": "+m.what, func(t *testing.T) {
			for _, g := range gateways {
				if g.name != m.gateway {
					continue
				}
				s, service := newSetup(t), startUpstream(t)
				s.behalf, s.service = w.http, service.address
				changed := false
				door := through(g.name, g.start(t, s, func(_, text string) string {
					changed = changed || strings.Contains(text, m.old)
					return strings.ReplaceAll(text, m.old, m.new)
				}), service)
				if !changed {
					t.Fatalf("no example has %q", m.old)
				}
				for _, r := range hygiene {
					if status, seen := door.send(t, r.told(w)); seen != nil && r.fault(status, seen) != "" {
						t.Logf("%s: %s", r.what, r.fault(status, seen))
						return
					}
				}
				t.Error("nothing is found")
			}
		})
	}
}
