package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server"
)

// TestGroupsOfRelations has groups and permissions of routes be relations: what an expression
// of Mia's language, a rule, and a service behind a gateway are told changes with the write.
func TestGroupsOfRelations(t *testing.T) {
	routes := file(t, "routes.yaml", `
identity: {preset: mia}
relations: {groups: "group#member", permissions: "estate_role#holder"}
routes:
  - {name: open, methods: [GET], path: /open, rule: {public: true}}
  - {name: known, methods: [GET], path: /known, rule: {authenticated: true}}
  - {name: said, methods: [GET], path: /said, rule: {expression: 'groups.staff && !(groups.guests)'}}
  - {name: named, methods: [GET], path: /named, rule: {groups: [staff]}}
  - {name: may, methods: [GET], path: /may, rule: {expression: 'permissions["50/formuesfullmakt"]'}}
`)
	s := startAltinnServerWith(t, server.Config{DataDir: t.TempDir(), Enforcement: server.EnforcementConfig{
		RoutesFile: routes, TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}})
	s.loadSmallRegister()
	kari := "Authorization: Bearer " + s.token(t, server.UserClaims(20000490, 50002598, 3))
	nobodys := "Authorization: Bearer " + s.token(t, map[string]any{"sub": "somebody"})
	asks := func(path, credentials string) string {
		a := s.do(t, http.MethodGet, "/authz/forward", nil, "X-Forwarded-Method: GET", "X-Forwarded-Proto: https",
			"X-Forwarded-Host: a.example.com", "X-Forwarded-Uri: "+path, credentials)
		return strings.TrimSpace(fmt.Sprint(a.status, " ", a.header.Get("miausergroups")))
	}
	for _, step := range []struct {
		write                         string // a relationship, - before it to delete it
		open, known, said, named, may string
	}{
		{"", "200", "200", "403", "403", "403"},
		{"group:night#member@user:20000490", "200 night", "200 night", "403", "403", "403"},
		{"group:staff#member@group:night#member", "200 night,staff", "200 night,staff", "200 night,staff", "200 night,staff", "403"},
		{"estate_role:50/formuesfullmakt#holder@user:20000490", "200 night,staff", "200 night,staff", "200 night,staff", "200 night,staff", "200 night,staff"},
		{"group:guests#member@user:20000490", "200 guests,night,staff", "200 guests,night,staff", "403", "200 guests,night,staff", "200 guests,night,staff"},
		{"-group:guests#member@user:20000490", "200 night,staff", "200 night,staff", "200 night,staff", "200 night,staff", "200 night,staff"},
		{"-group:night#member@user:20000490", "200", "200", "403", "403", "200"},
	} {
		s.relate(t, step.write)
		for path, want := range map[string]string{
			"/open": step.open, "/known": step.known, "/said": step.said, "/named": step.named, "/may": step.may,
		} {
			if got := asks(path, kari); got != want {
				t.Errorf("after %q: %s: %s, want %s", step.write, path, got, want)
			}
		}
	}
	for path, want := range map[string]string{"/open": "200", "/said": "401"} {
		if got := asks(path, "Accept: */*"); got != want {
			t.Errorf("nobody at %s: %s, want %s", path, got, want)
		}
	}
	if got := asks("/said", nobodys); got == "200" {
		t.Errorf("somebody who is no user: %s", got)
	}
	// More than can be told are not told in part.
	for first := 0; first < 520; first += 130 {
		var all []string
		for i := range 130 {
			all = append(all, fmt.Sprintf("group:many%d#member@user:20000490", first+i))
		}
		s.relate(t, all...)
	}
	for path, want := range map[string]string{"/open": "200", "/known": "503", "/named": "503"} {
		if got := asks(path, kari); got != want {
			t.Errorf("a member of too many groups at %s: %s, want %s", path, got, want)
		}
	}
}

// relate writes relationships, and deletes those with - before them.
func (s *altinnServer) relate(t *testing.T, all ...string) {
	t.Helper()
	var updates []*v1.RelationshipUpdate
	for _, text := range all {
		if text == "" {
			return
		}
		operation := v1.RelationshipUpdate_OPERATION_TOUCH
		if rest, gone := strings.CutPrefix(text, "-"); gone {
			operation, text = v1.RelationshipUpdate_OPERATION_DELETE, rest
		}
		updates = append(updates, &v1.RelationshipUpdate{Operation: operation, Relationship: tuple.ToV1Relationship(tuple.MustParse(text))})
	}
	if _, err := v1.NewPermissionsServiceClient(s.conn).WriteRelationships(s.admin(), &v1.WriteRelationshipsRequest{Updates: updates}); err != nil {
		t.Fatalf("write %q: %v", all, err)
	}
}
