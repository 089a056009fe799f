package xacml_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/jsonform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// TestConformanceInJSON asks the same in JSON, where the request can be said so, and wants
// the same answers.
func TestConformanceInJSON(t *testing.T) {
	asked := 0
	for _, c := range conformanceCases(t) {
		request, err := xmlform.ReadRequest(c.requestBytes, xmltree.Limits{})
		if err != nil || len(request.Questions) > 0 {
			continue
		}
		policy, references, err := c.policy(t)
		if err != nil {
			continue
		}
		data, ok := inJSON(t, request)
		if !ok {
			continue
		}
		read, err := jsonform.ReadRequest(data, xmltree.Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		o := xacml.Options{References: references, Now: time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)}
		if diff := cmp.Diff(xacml.Respond(policy, request, o), xacml.Respond(policy, read, o)); diff != "" {
			t.Errorf("%s: %s", c.ID, diff)
		}
		asked++
	}
	t.Logf("%d requests", asked)
}

func inJSON(t *testing.T, r *xacml.Request) ([]byte, bool) {
	t.Helper()
	type object = map[string]any
	var categories []object
	for _, c := range r.Categories {
		if c.Content != nil || c.Fault != "" {
			return nil, false
		}
		attributes := []object{}
		for _, a := range c.Attributes {
			var values []string
			for _, v := range a.Values {
				if v.XPathCategory != "" || v.DataType != a.Values[0].DataType {
					return nil, false
				}
				values = append(values, v.Text)
			}
			attributes = append(attributes, object{
				"AttributeId": a.ID, "Issuer": a.Issuer, "IncludeInResult": a.IncludeInResult, "DataType": a.Values[0].DataType, "Value": values,
			})
		}
		categories = append(categories, object{"CategoryId": c.Category, "Id": c.ID, "Attribute": attributes})
	}
	data, err := json.Marshal(object{"Request": object{
		"ReturnPolicyIdList": r.ReturnPolicyIDs, "CombinedDecision": r.Combined, "Category": categories,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return data, true
}
