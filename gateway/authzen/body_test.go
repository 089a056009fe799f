package authzen

import (
	"encoding/json"
	"reflect"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// What is read is what encoding/json reads, for all that is read at all; and questions come
// of it, or a reason why not.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"subject":{"type":"user","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"1"},"evaluations":[{},7]}`,
		`{"page":{"limit":1e2,"token":"x"}}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `[[[]]]`, `{"a":1e999}`, ` {} {}`, `{"\u0061":1,"a":2}`, `"`, `{"a":`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parse(text)
		if err != nil {
			return
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is %v, for others %v, %v", text, got, want, err)
		}
		body, ok := got.(object)
		if !ok {
			return
		}
		for _, ignored := range []string{"", keySubject, keyAction, keyResource} {
			if q, err := question(body, ignored); (q == nil) == (err == nil) {
				t.Fatalf("%q: %v, %v", text, q, err)
			}
		}
		_, _ = questions(body)
		_, _ = pageOf(body)
	})
}

// Nothing but an answer that permits, and says everything, opens the door.
func TestDecisionOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer *behalfv1.Evaluation
		want   bool
	}{
		{"none", nil, false},
		{"the zero answer", &behalfv1.Evaluation{}, false},
		{"a permit", &behalfv1.Evaluation{Permitted: true}, true},
		{"a permit with an error", &behalfv1.Evaluation{Permitted: true, ErrorCode: 13}, false},
		{"a permit with an obligation", &behalfv1.Evaluation{Permitted: true, Obligations: []*behalfv1.Obligation{{Id: "urn:x"}}}, true},
		{"a permit with an obligation that nobody can know", &behalfv1.Evaluation{Permitted: true, Obligations: []*behalfv1.Obligation{{}}}, false},
	} {
		if got := decisionOf(c.answer); got.Decision != c.want {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if d := decisionOf(&behalfv1.Evaluation{Permitted: true, Reason: "because"}); d.Context != nil {
		t.Errorf("a plain permit has the context %+v", d.Context)
	}
}
