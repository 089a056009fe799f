package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// TestAuthZENCorpus asks the questions of the corpus of decisions in AuthZEN's terms: it
// permits what the other doors permit, with as many obligations.
func TestAuthZENCorpus(t *testing.T) {
	w := startDecisionWorld(t)
	asked, permitted := 0, 0
	for _, c := range w.cases(t) {
		if strings.HasSuffix(c.Endpoint, "/authorize") { // which takes national identity numbers
			continue
		}
		for _, p := range c.Policies {
			w.run(t, append(policyPut(p.ServedFor, c.name), filepath.Join(c.dir, p.File))...)
		}
		natively := questions(t, c.Format, readBare(t, filepath.Join(c.dir, "request."+c.Format)))
		answer, err := behalfv1.NewDecisionServiceClient(w.conn).BulkDecide(as(t.Context(), w.admin), &behalfv1.BulkDecideRequest{Questions: natively})
		if err != nil {
			t.Fatal(err)
		}
		var items []map[string]any
		for _, q := range natively {
			items = append(items, inAuthZENsTerms(t, q))
		}
		body, err := json.Marshal(map[string]any{"evaluations": items})
		if err != nil {
			t.Fatal(err)
		}
		got := w.askAuthZEN(t, "evaluations", string(body))
		if len(got.Evaluations) != len(natively) {
			t.Fatalf("%s: %d answers", c.name, len(got.Evaluations))
		}
		for i, e := range got.Evaluations {
			d := answer.GetDecisions()[i]
			obligations, _ := e.Context["obligations"].([]any)
			asked++
			if *e.Decision {
				permitted++
			}
			if *e.Decision != (d.GetEffect() == behalfv1.Effect_EFFECT_PERMIT) || len(obligations) != len(d.GetObligations()) {
				t.Errorf("%s, question %d: %s %s\nasked %v\ngot %v", c.name, i, d.GetEffect(), d.GetReason(), items[i], e)
			}
		}
	}
	t.Logf("%d questions, %d permitted", asked, permitted)
	if asked < 20 || permitted < 10 {
		t.Errorf("%d questions, %d permitted: too few to tell", asked, permitted)
	}
}

// inAuthZENsTerms returns a question with the attributes that name subject and resource as
// their types and ids, and all others as properties.
func inAuthZENsTerms(t *testing.T, q *behalfv1.DecisionQuestion) map[string]any {
	t.Helper()
	take := func(from []*behalfv1.Attribute, names ...string) (values []string, rest map[string]any) {
		values, rest = make([]string, len(names)), map[string]any{}
	next:
		for _, a := range from {
			for i, name := range names {
				if a.GetId() == name && len(a.GetValues()) == 1 {
					values[i] = a.GetValues()[0]
					continue next
				}
			}
			have, _ := rest[a.GetId()].([]any)
			for _, v := range a.GetValues() {
				have = append(have, v)
			}
			rest[a.GetId()] = have
		}
		return values, rest
	}
	out := map[string]any{}
	if of := q.GetSubject(); len(of) > 0 {
		id, rest := take(of, of[0].GetId())
		out["subject"] = map[string]any{"type": of[0].GetId(), "id": id[0], "properties": rest}
	}
	id, rest := take(q.GetResource(), "urn:altinn:org", "urn:altinn:app", "urn:altinn:resource")
	typ, named := "app", id[0]+"/"+id[1]
	switch {
	case id[2] != "":
		typ, named = "resource", id[2]
	case id[0] == "":
		typ = "urn:altinn:instance-id"
		id, rest = take(q.GetResource(), typ)
		named = id[0]
	}
	out["resource"] = map[string]any{"type": typ, "id": named, "properties": rest}
	id, rest = take(q.GetAction(), "urn:oasis:names:tc:xacml:1.0:action:action-id")
	out["action"] = map[string]any{"name": id[0], "properties": rest}
	return out
}
