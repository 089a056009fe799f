package pep_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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

func TestHTTP(t *testing.T) {
	kari, low, ola := "Bearer "+tokenOf(t, "kari", 3), "Bearer "+tokenOf(t, "kari", 2), "Bearer "+tokenOf(t, "ola", 4)
	notified := 0
	notify := map[string]pep.Duty{"urn:test:notify": func(_ context.Context, who pep.Subject, o *behalf.Obligation) error {
		notified++
		if who.User != testserver.KariUser || o.GetAssignments()[0].GetValue() != "kari@example.org" {
			t.Errorf("notified of %v by %v", who, o)
		}
		return nil
	}}
	failing := map[string]pep.Duty{"urn:test:notify": func(context.Context, pep.Subject, *behalf.Obligation) error { return errors.New("no mail") }}
	headers := func(h ...string) []string { return h }
	for name, tc := range map[string]struct {
		cfg     pep.Config
		path    string
		headers []string
		status  int
		reason  behalf.Reason
	}{
		"permitted":            {pep.Config{Client: client}, "/50076451/read", headers(low), 204, ""},
		"of a sub-unit":        {pep.Config{Client: client}, "/50074838/read", headers(low), 204, ""},
		"scheme in lower case": {pep.Config{Client: client}, "/50076451/read", headers("bearer " + low[7:]), 204, ""},
		"high enough":          {pep.Config{Client: client}, "/50076451/write", headers(kari), 204, ""},
		"level too low":        {pep.Config{Client: client}, "/50076451/write", headers(low), 401, pep.ReasonLevelTooLow},
		"duty met":             {pep.Config{Client: client, Duties: notify}, "/50076451/sign", headers(kari), 204, ""},
		"duty unknown":         {pep.Config{Client: client}, "/50076451/sign", headers(kari), 403, pep.ReasonObligationUnmet},
		"duty failed":          {pep.Config{Client: client, Duties: failing}, "/50076451/sign", headers(kari), 403, pep.ReasonObligationUnmet},
		"denied":               {pep.Config{Client: client}, "/50076451/read", headers(ola), 403, pep.ReasonDenied},
		"unknown action":       {pep.Config{Client: client}, "/50076451/fly", headers(kari), 403, pep.ReasonDenied},
		"unknown party":        {pep.Config{Client: client}, "/1/read", headers(kari), 403, pep.ReasonDenied},
		"no party":             {pep.Config{Client: client}, "/x/read", headers(kari), 400, pep.ReasonRequestInvalid},
		"no credentials":       {pep.Config{Client: client}, "/50076451/read", nil, 401, behalf.ReasonCredentialsMissing},
		"another scheme":       {pep.Config{Client: client}, "/50076451/read", headers("Basic eDp5"), 401, behalf.ReasonCredentialsInvalid},
		"two headers":          {pep.Config{Client: client}, "/50076451/read", headers(kari, ola), 401, behalf.ReasonCredentialsInvalid},
		"bad token":            {pep.Config{Client: client}, "/50076451/read", headers(kari + "x"), 401, behalf.ReasonCredentialsInvalid},
		"a mere service":       {pep.Config{Client: client}, "/50076451/read", headers("Bearer " + running.AdminKey), 403, pep.ReasonSubjectUnknown},
		"Behalf away":          {pep.Config{Client: away(t)}, "/50076451/read", headers(kari), 503, behalf.ReasonUnavailable},
		"decider away":         {pep.Config{Client: client, Decider: away(t)}, "/50076451/read", headers(kari), 503, behalf.ReasonUnavailable},
		"our key is not valid": {pep.Config{Client: client, Decider: client.As("wrong")}, "/50076451/read", headers(kari), 503, behalf.ReasonUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			h, passed := service(t, tc.cfg, question)
			status, challenge, body := call(t, h, tc.path, tc.headers...)
			if status != tc.status || tc.reason != "" && body["reason"] != string(tc.reason) {
				t.Errorf("%d %v, want %d %s", status, body, tc.status, tc.reason)
			}
			if let := *passed == 1; let != (tc.status == 204) {
				t.Errorf("passed %d times", *passed)
			}
			if (challenge != "") != (tc.status == 401) {
				t.Errorf("status %d, challenge %q", tc.status, challenge)
			}
		})
	}
	if notified != 1 {
		t.Errorf("the duty was done %d times", notified)
	}
}

// TestStepUp holds what a login needs to know of a level that is too low.
func TestStepUp(t *testing.T) {
	low := "Bearer " + tokenOf(t, "kari", 2)
	h, _ := service(t, pep.Config{Client: client}, question)
	_, got, body := call(t, h, "/50076451/write", low)
	const want = `Bearer realm="behalf", error="insufficient_user_authentication", error_description="authentication level 3 is needed", acr_values="urn:altinn:authlevel:3"`
	if got != want || body["requiredLevel"] != 3.0 {
		t.Errorf("%s, body %v", got, body)
	}
	acr := func(level int) string { return []string{"", "", "", "idporten-loa-substantial", ""}[level] + "\"\n" }
	h, _ = service(t, pep.Config{Client: client, Realm: "Tax", ACR: acr}, question)
	_, got, _ = call(t, h, "/50076451/write", low)
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
