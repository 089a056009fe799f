package server_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// TestDecisionConformance sends the requests of the corpus to a running server.
func TestDecisionConformance(t *testing.T) {
	dir := filepath.Join(conformance(t), "pdp")
	s := startAltinnServerWith(t, server.Config{DataDir: t.TempDir(), Compat: []string{server.CompatAltinn}})
	w := s.loadDecisionWorld(filepath.Join(dir, "world"))
	cases, err := filepath.Glob(filepath.Join(dir, "cases", "*"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, dir := range cases {
		c := readDecisionCase(w, dir)
		t.Run(c.name, func(t *testing.T) {
			for _, p := range c.Policies {
				w.policy(policyRef(p.ServedFor, c), filepath.Join(dir, p.File))
			}
			status, body := w.decide(t, c)
			if status != http.StatusOK {
				t.Fatalf("status %d: %s", status, body)
			}
			want, err := os.ReadFile(filepath.Join(dir, "expected."+c.Format))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(w.results(t, c.Format, want), w.results(t, c.Format, body)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, body)
			}
		})
	}
}

// policyRef returns what a case's policy is for. One case does not say.
func policyRef(servedFor string, c decisionCase) *behalfv1.PolicyRef {
	if org, app, ok := strings.Cut(servedFor, "/"); ok && !strings.HasPrefix(servedFor, "(") {
		return &behalfv1.PolicyRef{Org: org, App: app}
	}
	if strings.HasPrefix(servedFor, "(") {
		if strings.Contains(c.name, "AltinnApps_Oed") {
			return &behalfv1.PolicyRef{Org: "ttd", App: "oedformuesfullmakt"}
		}
		servedFor = "oed-role-formuesfullmakt"
	}
	return &behalfv1.PolicyRef{Resource: servedFor}
}

// decide sends a case's request and returns the answer.
func (w *decisionWorld) decide(t *testing.T, c decisionCase) (int, []byte) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(c.dir, "request."+c.Format))
	if err != nil {
		t.Fatal(err)
	}
	method, target, _ := strings.Cut(c.Endpoint, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, w.base+target, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/"+c.Format)
	if c.XForwardedFor != "" {
		req.Header.Set("X-Forwarded-For", c.XForwardedFor)
	}
	if c.Token != nil {
		req.Header.Set("Authorization", "Bearer "+w.token(t, c.Token.Claims))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// results reads a response.
func (w *decisionWorld) results(t *testing.T, format string, text []byte) []decisionResult {
	t.Helper()
	if format == "json" {
		return w.jsonResults(text)
	}
	var r struct {
		Result []struct {
			Decision string
			Status   struct {
				StatusCode struct {
					Value string `xml:",attr"`
				}
			}
			Obligations struct {
				Obligation []struct {
					AttributeAssignment []struct {
						AttributeID string `xml:"AttributeId,attr"`
						Category    string `xml:",attr"`
						DataType    string `xml:",attr"`
						Text        string `xml:",chardata"`
					}
				}
			}
			Attributes []struct {
				Category  string `xml:",attr"`
				Attribute []struct {
					AttributeID    string `xml:"AttributeId,attr"`
					AttributeValue []string
				}
			}
		}
	}
	if err := xml.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out := make([]decisionResult, len(r.Result))
	for i, one := range r.Result {
		out[i].Decision, out[i].Status = one.Decision, one.Status.StatusCode.Value
		for _, o := range one.Obligations.Obligation {
			text := ""
			for _, a := range o.AttributeAssignment {
				text += " " + strings.Join([]string{a.AttributeID, strings.TrimSpace(a.Text), a.Category, a.DataType}, " ")
			}
			out[i].Obligations = append(out[i].Obligations, text)
		}
		for _, c := range one.Attributes {
			for _, a := range c.Attribute {
				out[i].Attributes = append(out[i].Attributes, c.Category+" "+a.AttributeID+" "+strings.Join(a.AttributeValue, ","))
			}
		}
		slices.Sort(out[i].Attributes)
	}
	return out
}
