package provider_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/authn/provider"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// TestManager goes through what authentication managers answer.
func TestManager(t *testing.T) {
	var status int
	var body string
	var got http.Header
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(there.Close)
	file, err := provider.Parse([]byte(`issuers: [{name: mia, issuer: mia, believe: [subject, groups, permissions],
		manager: {userinfo: ` + there.URL + `, headers: [Cookie, X-Tenant], timeout: 2s}}]`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider.New(provider.Config{Entry: file.Issuers[0], Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	sent := map[string][]string{"cookie": {"sid=1", "a=b"}, "x-tenant": {"t"}, "authorization": {"Bearer x"}}
	const nobody = "nobody"
	for name, row := range map[string]struct {
		status int
		body   string
		want   string // who, nobody or unavailable
	}{
		"a user":                {200, `{"sub": "u1", "groups": ["b", "a"], "permissions": ["read:x"], "email": "x@y", "sid": 5}`, "u1 [a b] [read:x]"},
		"by Mia's name":         {200, `{"userId": "u2", "groups": []}`, "u2 [] []"},
		"by both":               {200, `{"userId": "u2", "sub": "u1", "groups": []}`, "u1 [] []"},
		"without groups":        {200, `{"sub": "u3"}`, "u3 [] []"},
		"unbelieved":            {200, `{"sub": "u4", "pid": "07124912037", "urn:altinn:userid": 7, "scope": "behalf:admin"}`, "u4 [] []"},
		"without an id":         {200, `{"groups": ["admin"]}`, nobody},
		"an id that is none":    {200, `{"sub": 7, "groups": ["admin"]}`, nobody},
		"an empty id":           {200, `{"sub": "", "groups": ["admin"]}`, nobody},
		"nothing":               {200, ` `, nobody},
		"no content":            {204, ``, nobody},
		"not logged in":         {401, `{"sub": "u1"}`, nobody},
		"forbidden":             {403, `{"sub": "u1"}`, nobody},
		"not there":             {404, ``, nobody},
		"sent to the login":     {302, `{"sub": "u1"}`, nobody},
		"out of order":          {500, `{"sub": "u1"}`, "unavailable"},
		"too many":              {429, `{"sub": "u1"}`, "unavailable"},
		"no JSON":               {200, `<html>`, "unavailable"},
		"a list":                {200, `["u1"]`, "unavailable"},
		"a key twice":           {200, `{"sub": "u1", "sub": "admin"}`, "unavailable"},
		"groups that are wrong": {200, `{"sub": "u1", "groups": {"admin": true}}`, "refused"},
		"longer than 1 MiB":     {200, `{"sub": "u1", "x": "` + strings.Repeat("x", 1<<20) + `"}`, "unavailable"},
	} {
		status, body = row.status, row.body
		v, found, err := p.Ask(t.Context(), func(name string) []string { return sent[name] })
		is := nobody
		switch {
		case fault.KindOf(err) == fault.Unavailable && err != nil:
			is = "unavailable"
		case fault.KindOf(err) == fault.Unauthenticated:
			is = "refused"
		case err != nil:
			is = err.Error()
		case found:
			is = fmt.Sprint(v.Caller.IssuedTo, " ", v.Caller.Groups, " ", v.Caller.Permissions)
			if v.Caller.Kind != caller.User || v.Caller.UserID != 0 || len(v.Caller.Scopes) > 0 || v.Identity.PID != "" || v.Identity.Issuer != "mia" {
				t.Errorf("%s: believed %+v", name, v)
			}
		}
		if is != row.want {
			t.Errorf("%s: %s, want %s", name, is, row.want)
		}
	}
	if diff := cmp.Diff([]string{"sid=1", "a=b"}, got.Values("Cookie")); diff != "" || got.Get("X-Tenant") != "t" || got.Get("Authorization") != "" {
		t.Errorf("it was given %v", got)
	}
	got = nil
	if _, found, err := p.Ask(t.Context(), func(string) []string { return nil }); found || err != nil || got != nil {
		t.Errorf("asked about nobody: %v %v %v", found, err, got)
	}
	there.Close()
	if _, _, err := p.Ask(t.Context(), func(name string) []string { return sent[name] }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("it is down: %v", err)
	}
}

// TestSlowManager has a manager answer too late.
func TestSlowManager(t *testing.T) {
	release := make(chan struct{})
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(there.Close)
	t.Cleanup(func() { close(release) })
	p, err := provider.New(provider.Config{Entry: provider.Entry{
		Name: "mia", Issuer: "mia", Believe: []provider.Belief{provider.Subject},
		Manager: &provider.Manager{UserInfo: there.URL, Timeout: provider.Duration(50 * time.Millisecond)},
	}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_, found, err := p.Ask(t.Context(), func(string) []string { return []string{"x"} })
	if found || fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "Bearer") {
		t.Errorf("%v, %v", found, err)
	}
}

func TestFaultyManagers(t *testing.T) {
	for text, want := range map[string]string{
		"believe: [subject], manager: {userinfo: 'http://am.example/userinfo'}":                                                            "plaintext",
		"believe: [subject], manager: {userinfo: 'http://u:p@am.example/', plaintext: true}":                                               "plaintext",
		"believe: [subject], manager: {userinfo: 'file:///etc/passwd', plaintext: true}":                                                   "plaintext",
		"believe: [subject], manager: {userinfo: 'https://am.example', headers: [Host]}":                                                   "handed on",
		"believe: [subject], manager: {userinfo: 'https://am.example', headers: ['x y']}":                                                  "handed on",
		"believe: [subject, behalf], manager: {userinfo: 'https://am.example'}":                                                            "not believed for behalf",
		"believe: [groups], manager: {userinfo: 'https://am.example'}":                                                                     "name subject",
		"believe: [subject], login: {client_id: x}, manager: {userinfo: 'https://am.example'}":                                             "an entry of its own",
		"believe: [subject], manager: {userinfo: 'https://a.example', url: x}":                                                             "url",
		"believe: [subject], manager: {userinfo: 'https://a'}}, {name: n, issuer: n, believe: [subject], manager: {userinfo: 'https://b'}": "one entry may have a manager",
	} {
		_, err := provider.Parse([]byte("issuers: [{name: mia, issuer: mia, " + text + "}]"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := provider.Parse([]byte("issuers: [{name: mia, issuer: mia, believe: [subject], manager: {userinfo: 'http://auth0-client/userinfo?x=1', plaintext: true}}]")); err != nil {
		t.Error(err)
	}
}
