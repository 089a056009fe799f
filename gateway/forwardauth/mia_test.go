package forwardauth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// toldMia is what a gateway of Mia's sends, beside what the row adds.
func toldMia(lines ...string) http.Header {
	h := http.Header{"Original-Request-Method": {"POST"}, "Original-Request-Uri": {"/orders/1?x=/public"}}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

// TestMiaStatuses says with which status and headers Mia's gateways are answered, strictly
// and leniently.
func TestMiaStatuses(t *testing.T) {
	verdict := func(v behalfv1.Verdict, reason string) *behalfv1.AuthorizeResponse {
		return &behalfv1.AuthorizeResponse{Verdict: v, Reason: reason, RequiredLevel: 4, Mia: &behalfv1.MiaAnswer{
			UserId: "7", Groups: "admin,users", UserProperties: `{"level":3}`,
		}}
	}
	for name, row := range map[string]struct {
		answer          *behalfv1.AuthorizeResponse
		err             error
		strict, lenient int
		told            string // Behalf-Status
		challenge       string
	}{
		"allowed":         {verdict(behalfv1.Verdict_VERDICT_ALLOWED, ""), nil, 200, 200, "", ""},
		"no such route":   {verdict(behalfv1.Verdict_VERDICT_DENIED, "NO_ROUTE"), nil, 401, 200, "403", "Bearer"},
		"login needed":    {verdict(behalfv1.Verdict_VERDICT_UNAUTHENTICATED, "CREDENTIALS_MISSING"), nil, 401, 200, "401", "Bearer"},
		"wrong token":     {verdict(behalfv1.Verdict_VERDICT_UNAUTHENTICATED, "CREDENTIALS_INVALID"), nil, 401, 200, "401", "invalid_token"},
		"no permission":   {verdict(behalfv1.Verdict_VERDICT_DENIED, "RULE_DENIES"), nil, 403, 200, "403", ""},
		"level":           {verdict(behalfv1.Verdict_VERDICT_STEP_UP, "LEVEL_TOO_LOW"), nil, 401, 200, "401", "insufficient_user_authentication"},
		"malformed":       {verdict(behalfv1.Verdict_VERDICT_MALFORMED, "REQUEST_MALFORMED"), nil, 403, 200, "400", ""},
		"unknown verdict": {verdict(99, "R"), nil, 403, 200, "403", ""},
		"zero":            {&behalfv1.AuthorizeResponse{}, nil, 403, 403, "403", ""},
		"fault":           {nil, errors.New("disk"), 503, 503, "503", ""},
		"allowed, fault":  {verdict(behalfv1.Verdict_VERDICT_ALLOWED, ""), errors.New("disk"), 503, 503, "503", ""},
	} {
		for _, lenient := range []bool{false, true} {
			want := row.strict
			if lenient {
				want = row.lenient
			}
			if row.answer.GetMia() != nil {
				row.answer.Mia.Lenient = lenient
			}
			for _, path := range []string{"/auth", "/auth/", "/auth/orders/1?x=/public"} {
				w := ask(&services{answer: row.answer, err: row.err}, path, peer, toldMia())
				h := w.Header()
				got := []string{h.Get("mia-allowed"), h.Get("mia-userid"), h.Get("mia-groups"), h.Get("mia-userproperties")}
				identity := []string{"0", "", "", ""}
				if name == "allowed" {
					identity = []string{"1", "7", "admin,users", `{"level":3}`}
				}
				if w.Code != want || strings.Join(got, "|") != strings.Join(identity, "|") || h.Get("Behalf-Status") != row.told {
					t.Errorf("%s, lenient %t, %s: %d %v, want %d %q", name, lenient, path, w.Code, h, want, identity)
				}
				for _, name := range []string{"Mia-Allowed", "Mia-Userid", "Mia-Groups", "Mia-Userproperties"} {
					if len(h.Values(name)) != 1 {
						t.Errorf("%s: %s is there %d times", path, name, len(h.Values(name)))
					}
				}
				if challenge := h.Get("WWW-Authenticate"); (w.Code == 401) != (challenge != "") || w.Code == 401 && !strings.Contains(challenge, row.challenge) {
					t.Errorf("%s, lenient %t: the challenge %q", name, lenient, challenge)
				}
			}
		}
	}
}

// TestMiaTells says what Mia's gateways are believed, and when they tell by halves or twice.
func TestMiaTells(t *testing.T) {
	allowed := &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}
	s := &services{answer: allowed}
	ask(s, "/auth/admin", peer, toldMia("Client-Type: app", "isbackoffice: 1", "Cookie: sid=x", "X-Forwarded-Host: a.example.com", "X-Forwarded-Proto: http",
		"Authentication: abc", "X-Original-URI: /evil", "miauserid: 1"))
	a := s.asked
	if a.GetMethod() != "POST" || string(a.GetPath()) != "/orders/1?x=/public" || string(a.GetHost()) != "a.example.com" || a.GetScheme() != "http" ||
		a.GetClientType() != "app" || !a.GetBackoffice() || a.GetRemoves() {
		t.Errorf("asked %v", a)
	}
	for _, path := range []string{"/auth/../login", "/auth/x/%2e%2e/../login", "/auth/../authz"} {
		s := &services{answer: allowed}
		if w := ask(s, path, peer, toldMia()); w.Code != http.StatusForbidden || s.asked != nil {
			t.Errorf("%s: %d, asked %v", path, w.Code, s.asked)
		}
	}
	headers := map[string]string{}
	for _, h := range a.GetHeaders() {
		headers[h.GetName()] += string(h.GetValue())
	}
	if len(headers) != 3 || headers["Cookie"] != "sid=x" || headers["Authorization"] != "Bearer abc" || headers["Miauserid"] != "1" {
		t.Errorf("told of %v", headers)
	}
	for _, row := range []struct{ headers, client, backoffice, host, scheme, authorization string }{
		{"", "", "false", "example.com", "https", ""},
		{"isbackoffice: \nClient-Type: \nX-Forwarded-Host: \nX-Forwarded-Proto: \nAuthentication: ", "", "false", "example.com", "https", ""},
		{"isbackoffice: 0", "", "false", "example.com", "https", ""},
		{"isbackoffice: true", "", "false", "example.com", "https", ""},
		{"Authentication: Bearer abc", "", "false", "example.com", "https", "Bearer abc"},
		{"Authentication: abc\nAuthorization: Bearer def", "", "false", "example.com", "https", "Bearer def"},
		{"Authentication: abc\nAuthentication: def", "", "false", "example.com", "https", ""},
	} {
		s := &services{answer: allowed}
		ask(s, "/auth", peer, toldMia(strings.Split(row.headers, "\n")...))
		authorization := ""
		for _, h := range s.asked.GetHeaders() {
			if h.GetName() == "Authorization" {
				authorization += string(h.GetValue())
			}
		}
		a := s.asked
		if a.GetClientType() != row.client || a.GetBackoffice() != (row.backoffice == "true") || string(a.GetHost()) != row.host || a.GetScheme() != row.scheme || authorization != row.authorization {
			t.Errorf("%q: asked %v", row.headers, a)
		}
	}
	for _, headers := range []http.Header{
		{},
		{"Original-Request-Method": {"GET"}},
		{"Original-Request-Uri": {"/"}},
		{"Original-Request-Method": {""}, "Original-Request-Uri": {"/"}},
		toldMia("Original-Request-Uri: /public"),
		toldMia("Original-Request-Method: GET"),
		toldMia("Client-Type: a", "Client-Type: b"),
		toldMia("isbackoffice: 0", "isbackoffice: 1"),
		toldMia("isbackoffice: ", "isbackoffice: 1"),
		toldMia("X-Forwarded-Host: a", "X-Forwarded-Host: b"),
		toldMia("X-Forwarded-Proto: https", "X-Forwarded-Proto: http"),
	} {
		s := &services{answer: allowed}
		if w := ask(s, "/auth", peer, headers); w.Code != 403 || s.asked != nil || w.Header().Get("mia-allowed") != "0" {
			t.Errorf("%v: %d %v", headers, w.Code, w.Header())
		}
	}
}
