package pep_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/clients/corpus"
	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
	"github.com/behalf-authz/behalf/clients/go/pep"
)

// question asks about the tax return of the party in the path.
func question(r *http.Request) (behalf.Request, error) {
	party, err := pep.PartyInPath(r, "party")
	if err != nil {
		return behalf.Request{}, err
	}
	return behalf.App(testserver.Org, testserver.App).For(party).To(r.PathValue("action")), nil
}

// service returns a handler behind a guard, which counts how often it was let through.
func service(t *testing.T, cfg pep.Config, question pep.Question) (http.Handler, *int) {
	t.Helper()
	guard, err := pep.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	passed := new(int)
	mux := http.NewServeMux()
	mux.Handle("GET /{party}/{action}", guard.Protect(question, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*passed++
		if who, ok := pep.SubjectFrom(r.Context()); !ok || len(who.Attributes) == 0 {
			t.Error("let in without a subject")
		}
		w.WriteHeader(http.StatusNoContent)
	})))
	return mux, passed
}

// call sends a request with Authorization headers and returns the answer's status, challenge and body.
func call(t *testing.T, h http.Handler, path string, authorization ...string) (status int, challenge string, body map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent {
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Errorf("%s: %v in %s", path, err, w.Body)
		}
	}
	return w.Code, w.Header().Get("WWW-Authenticate"), body
}

// guards are the kinds of guards of the corpus. Each duty done is counted.
func guards(t *testing.T, done *int) map[string]pep.Config {
	t.Helper()
	return map[string]pep.Config{
		"": {Client: client},
		"duty": {Client: client, Duties: map[string]pep.Duty{"urn:test:notify": func(_ context.Context, who pep.Subject, o *behalf.Obligation) error {
			*done++
			if who.User != testserver.KariUser || o.GetAssignments()[0].GetValue() != "kari@example.org" {
				t.Errorf("notified of %v by %v", who, o)
			}
			return nil
		}}},
		"failing duty": {Client: client, Duties: map[string]pep.Duty{"urn:test:notify": func(context.Context, pep.Subject, *behalf.Obligation) error {
			return errors.New("no mail")
		}}},
		"away":         {Client: away(t)},
		"decider away": {Client: client, Decider: away(t)},
		"wrong key":    {Client: client, Decider: client.As("wrong")},
	}
}

// TestHTTP sends what the middleware in TypeScript is sent too.
func TestHTTP(t *testing.T) {
	all, err := corpus.Read()
	if err != nil || len(all.Enforced) < 20 {
		t.Fatalf("%d requests, %v", len(all.Enforced), err)
	}
	notified := 0
	kinds := guards(t, &notified)
	for _, tc := range all.Enforced {
		t.Run(tc.Name, func(t *testing.T) {
			cfg, ok := kinds[tc.Guard]
			if !ok {
				t.Fatalf("no guard %q", tc.Guard)
			}
			h, passed := service(t, cfg, question)
			status, challenge, body := call(t, h, tc.Path, headers(t, tc.Authorization)...)
			if status != tc.Want.Status || tc.Want.Reason != "" && body["reason"] != tc.Want.Reason {
				t.Errorf("%d %v, want %+v", status, body, tc.Want)
			}
			if level, _ := body["requiredLevel"].(float64); int(level) != tc.Want.RequiredLevel {
				t.Errorf("level %v, want %d", level, tc.Want.RequiredLevel)
			}
			if let := *passed == 1; let != (tc.Want.Status == http.StatusNoContent) {
				t.Errorf("passed %d times", *passed)
			}
			if (challenge != "") != (tc.Want.Status == http.StatusUnauthorized) || tc.Want.Challenge != "" && challenge != tc.Want.Challenge {
				t.Errorf("status %d, challenge %q", status, challenge)
			}
		})
	}
	if notified != 1 {
		t.Errorf("the duty was done %d times", notified)
	}
}

// headers puts credentials where the corpus names them.
func headers(t *testing.T, texts []string) []string {
	t.Helper()
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = credentials.ReplaceAllStringFunc(text, func(whose string) string {
			token, err := running.Credentials(strings.Trim(whose, "{}"))
			if err != nil {
				t.Fatal(err)
			}
			return token
		})
	}
	return out
}

var credentials = regexp.MustCompile(`\{[^}]+\}`)

// TestChallenge holds that a challenge names the service and the login's own levels.
func TestChallenge(t *testing.T) {
	acr := func(level int) string { return []string{"", "", "", "idporten-loa-substantial", ""}[level] + "\"\n" }
	h, _ := service(t, pep.Config{Client: client, Realm: "Tax", ACR: acr}, question)
	_, got, _ := call(t, h, "/50076451/write", "Bearer "+tokenOf(t, "kari", 2))
	if !strings.HasPrefix(got, `Bearer realm="Tax"`) || !strings.HasSuffix(got, `acr_values="idporten-loa-substantial\""`) {
		t.Error(got)
	}
}

// TestQuestionsCannotOpenDoors holds that no question lets anybody in by itself.
func TestQuestionsCannotOpenDoors(t *testing.T) {
	ola := "Bearer " + tokenOf(t, "ola", 4)
	about := behalf.App(testserver.Org, testserver.App).For(testserver.Bakery).To("read")
	for name, question := range map[string]pep.Question{
		"names another subject": func(*http.Request) (behalf.Request, error) { return about.ByUser(testserver.KariUser), nil },
		"asks nothing":          func(*http.Request) (behalf.Request, error) { return behalf.Request{}, nil },
		"fails":                 func(*http.Request) (behalf.Request, error) { return about, errors.New("x") },
		"fails with a refusal":  func(*http.Request) (behalf.Request, error) { return about, &pep.Refusal{} },
	} {
		h, passed := service(t, pep.Config{Client: client}, question)
		if status, _, body := call(t, h, "/50076451/read", ola); status < 400 || *passed != 0 {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
}
