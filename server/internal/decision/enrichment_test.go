package decision_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// conformance returns the folder of the cases that others wrote, or skips the test.
func conformance(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BEHALF_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance cases in %s: set BEHALF_CONFORMANCE to their folder", dir)
	}
	return dir
}

// TestContextEnrichment compares what is found for a request with what Altinn finds. Our
// roles are closed under the catalogue and in both cases of letters, so there are more.
func TestContextEnrichment(t *testing.T) {
	dir := filepath.Join(conformance(t), "pdp")
	w := newWorld(t)
	for _, name := range []string{"regna", "dagl", "apiadm"} {
		w.tuple(1000, name, 1)
	}
	for id, org := range map[string]string{
		"1000/7dd3c208-0062-4ff6-9ef7-2384e9199a6c": "tdd", "1000/26133fb5-a9f2-45d4-90b1-f6d93ad40716": "skd",
	} {
		w.instances[id] = decision.Instance{ID: id, Org: org, App: "taxreport", Task: "FormFilling", Party: 1000}
	}
	cases, err := filepath.Glob(filepath.Join(dir, "context-enrichment", "*"))
	if err != nil || len(cases) < 3 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	for _, c := range cases {
		t.Run(filepath.Base(c), func(t *testing.T) {
			file := filepath.Join(c, "policy.xml")
			if _, err := os.Stat(file); err != nil {
				file = filepath.Join(dir, "world", "policies", "apps", "skd", "taxreport", "policy.xml")
			}
			policy, err := xacml.Parse(read(t, file), xacml.ParseOptions{})
			if err != nil {
				t.Fatal(err)
			}
			asked := request(t, filepath.Join(c, "request.xml"))
			got, err := w.Enriched(t.Context(), asked, decision.Internal, policy)
			if err != nil {
				t.Fatal(err)
			}
			want := request(t, filepath.Join(c, "expected-enriched-request.xml"))
			compare(t, flat(want), flat(got))
			if untouched := request(t, filepath.Join(c, "request.xml")); !maps.Equal(flat(untouched), flat(asked)) {
				t.Error("the request that was asked has changed")
			}
		})
	}
}

// compare fails unless got is want, and of roles at least want.
func compare(t *testing.T, want, got map[string]bool) {
	t.Helper()
	for _, text := range slices.Sorted(maps.Keys(want)) {
		if !got[text] {
			t.Errorf("lacks %s", text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(got)) {
		if !want[text] && !strings.Contains(text, "urn:altinn:rolecode") {
			t.Errorf("has %s besides", text)
		}
	}
}

// flat lists the values of a request with where they stand.
func flat(r *xacml.Request) map[string]bool {
	out := map[string]bool{}
	for _, c := range r.Categories {
		for _, a := range c.Attributes {
			for _, v := range a.Values {
				back := ""
				if a.IncludeInResult {
					back = " and comes back"
				}
				out[c.Category+" "+a.ID+"="+v.Text+back] = true
			}
		}
	}
	return out
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func request(t *testing.T, file string) *xacml.Request {
	t.Helper()
	r, err := xmlform.ReadRequest(read(t, file), xmltree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
