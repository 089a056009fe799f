package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"slices"
	"strings"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// decisionResult is what of a result is compared: not the identifiers of obligations, which
// in some cases are not those of the case's own policy, nor messages.
type decisionResult struct {
	Decision, Status string
	Obligations      []string
	Attributes       []string
}

func otherForm(form string) string { return map[string]string{"json": "xml", "xml": "json"}[form] }

// formResponse is a response in either form. Names are read in any case where JSON has them.
type formResponse struct {
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
					Value       string `xml:",chardata"`
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

// results reads a response.
func results(t *testing.T, form string, text []byte) []decisionResult {
	t.Helper()
	if form == "json" {
		return jsonResults(t, text)
	}
	var r formResponse
	if err := xml.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out := make([]decisionResult, len(r.Result))
	for i, one := range r.Result {
		out[i].Decision, out[i].Status = one.Decision, one.Status.StatusCode.Value
		for _, o := range one.Obligations.Obligation {
			for _, a := range o.AttributeAssignment {
				out[i].Obligations = append(out[i].Obligations, strings.Join([]string{a.AttributeID, strings.TrimSpace(a.Value), a.Category, a.DataType}, " "))
			}
		}
		for _, c := range one.Attributes {
			for _, a := range c.Attribute {
				for _, v := range a.AttributeValue {
					out[i].Attributes = append(out[i].Attributes, c.Category+" "+a.AttributeID+" "+v)
				}
			}
		}
		slices.Sort(out[i].Attributes)
	}
	return out
}

func jsonResults(t *testing.T, text []byte) []decisionResult {
	t.Helper()
	var r struct {
		Response []struct {
			Decision    string
			Status      struct{ StatusCode struct{ Value string } }
			Obligations []struct {
				AttributeAssignment []struct{ AttributeID, Value, Category, DataType string }
			}
			Category []struct {
				CategoryID string
				Attribute  []struct{ AttributeID, Value string }
			}
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out := make([]decisionResult, len(r.Response))
	for i, one := range r.Response {
		out[i].Decision, out[i].Status = one.Decision, one.Status.StatusCode.Value
		for _, o := range one.Obligations {
			for _, a := range o.AttributeAssignment {
				out[i].Obligations = append(out[i].Obligations, strings.Join([]string{a.AttributeID, a.Value, a.Category, a.DataType}, " "))
			}
		}
		for _, c := range one.Category {
			for _, a := range c.Attribute {
				out[i].Attributes = append(out[i].Attributes, c.CategoryID+" "+a.AttributeID+" "+a.Value)
			}
		}
		slices.Sort(out[i].Attributes)
	}
	return out
}

// native returns what of decisions is compared.
func native(decisions []*behalfv1.Decision) []decisionResult {
	names := map[behalfv1.Effect]string{
		behalfv1.Effect_EFFECT_UNSPECIFIED: "Indeterminate", behalfv1.Effect_EFFECT_PERMIT: "Permit",
		behalfv1.Effect_EFFECT_DENY: "Deny", behalfv1.Effect_EFFECT_NOT_APPLICABLE: "NotApplicable",
	}
	out := make([]decisionResult, len(decisions))
	for i, d := range decisions {
		out[i].Decision, out[i].Status = names[d.GetEffect()], d.GetStatusCode()
		for _, o := range d.GetObligations() {
			for _, a := range o.GetAssignments() {
				out[i].Obligations = append(out[i].Obligations, strings.Join([]string{a.GetId(), a.GetValue(), a.GetCategory(), a.GetDataType()}, " "))
			}
		}
		for _, a := range d.GetIncluded() {
			for _, v := range a.GetAttribute().GetValues() {
				out[i].Attributes = append(out[i].Attributes, a.GetCategory()+" "+a.GetAttribute().GetId()+" "+v)
			}
		}
		slices.Sort(out[i].Attributes)
	}
	return out
}

// askedAttribute is an attribute of a request.
type askedAttribute struct {
	AttributeID     string      `xml:"AttributeId,attr" json:"AttributeId"`
	IncludeInResult bool        `xml:",attr"`
	Value           string      `xml:"-"`
	DataType        string      `xml:"-" json:",omitempty"`
	AttributeValue  *askedValue `json:"-"`
}

type askedValue struct {
	DataType string `xml:",attr"`
	Text     string `xml:",chardata"`
}

// askedCategory is a category of a request.
type askedCategory struct {
	Category   string           `xml:",attr" json:"CategoryId"`
	ID         string           `xml:"http://www.w3.org/XML/1998/namespace id,attr,omitempty" json:"Id,omitempty"`
	Attributes []askedAttribute `xml:"Attribute" json:"Attribute"`
}

// asked is a request, as far as the corpus has any.
type asked struct {
	categories []askedCategory
	references [][]string
}

const categoryPrefix = "urn:oasis:names:tc:xacml:"

// readAsked reads a request in either form.
func readAsked(t *testing.T, form string, text []byte) asked {
	t.Helper()
	if form == "xml" {
		var r struct {
			Attributes []askedCategory
		}
		if err := xml.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Attributes {
			for i, a := range c.Attributes {
				c.Attributes[i].Value, c.Attributes[i].DataType = a.AttributeValue.Text, a.AttributeValue.DataType
			}
		}
		return asked{categories: r.Attributes}
	}
	var r struct {
		Request struct {
			AccessSubject, Action, Resource []askedCategory
			MultiRequests                   *struct {
				RequestReference []struct {
					ReferenceID []string `json:"ReferenceId"`
				}
			}
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	var out asked
	for _, group := range []struct {
		category string
		all      []askedCategory
	}{
		{"1.0:subject-category:access-subject", r.Request.AccessSubject}, {"3.0:attribute-category:action", r.Request.Action},
		{"3.0:attribute-category:resource", r.Request.Resource},
	} {
		for _, c := range group.all {
			c.Category = categoryPrefix + group.category
			out.categories = append(out.categories, c)
		}
	}
	if r.Request.MultiRequests != nil {
		for _, reference := range r.Request.MultiRequests.RequestReference {
			out.references = append(out.references, reference.ReferenceID)
		}
	}
	return out
}

// translate writes a request in the other form.
func translate(t *testing.T, form string, text []byte) []byte {
	t.Helper()
	q := readAsked(t, form, text)
	if form == "xml" {
		out, err := json.Marshal(map[string]any{"Request": map[string]any{"Category": q.categories}})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	type reference struct {
		AttributesReference []struct {
			ReferenceID string `xml:"ReferenceId,attr"`
		}
	}
	var document struct {
		XMLName            xml.Name `xml:"urn:oasis:names:tc:xacml:3.0:core:schema:wd-17 Request"`
		CombinedDecision   bool     `xml:",attr"`
		ReturnPolicyIDList bool     `xml:"ReturnPolicyIdList,attr"`
		Attributes         []askedCategory
		MultiRequests      *struct{ RequestReference []reference }
	}
	for _, c := range q.categories {
		for i, a := range c.Attributes {
			if a.DataType == "" {
				a.DataType = "http://www.w3.org/2001/XMLSchema#string"
			}
			c.Attributes[i].AttributeValue = &askedValue{a.DataType, a.Value}
		}
		document.Attributes = append(document.Attributes, c)
	}
	if q.references != nil {
		document.MultiRequests = &struct{ RequestReference []reference }{}
		for _, names := range q.references {
			var r reference
			for _, name := range names {
				r.AttributesReference = append(r.AttributesReference, struct {
					ReferenceID string `xml:"ReferenceId,attr"`
				}{name})
			}
			document.MultiRequests.RequestReference = append(document.MultiRequests.RequestReference, r)
		}
	}
	out, err := xml.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// questions returns a request's questions as the native contract has them.
func questions(t *testing.T, form string, text []byte) []*behalfv1.DecisionQuestion {
	t.Helper()
	q := readAsked(t, form, text)
	chosen := q.references
	if len(chosen) < 2 {
		chosen = [][]string{nil}
	}
	var out []*behalfv1.DecisionQuestion
	for _, names := range chosen {
		one := &behalfv1.DecisionQuestion{}
		for _, c := range q.categories {
			if names != nil && !slices.Contains(names, c.ID) {
				continue
			}
			for _, a := range c.Attributes {
				attribute := &behalfv1.Attribute{Id: a.AttributeID, Values: []string{a.Value}, DataType: a.DataType, IncludeInResult: a.IncludeInResult}
				switch {
				case strings.HasSuffix(c.Category, "subject"):
					one.Subject = append(one.Subject, attribute)
				case strings.HasSuffix(c.Category, "resource"):
					one.Resource = append(one.Resource, attribute)
				case strings.HasSuffix(c.Category, "action"):
					one.Action = append(one.Action, attribute)
				}
			}
		}
		out = append(out, one)
	}
	return out
}

func readBare(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimPrefix(text, []byte("\ufeff"))
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	if err := json.Unmarshal(readBare(t, file), v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
