package jsonform_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/jsonform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

func TestReadValues(t *testing.T) {
	const xs = "http://www.w3.org/2001/XMLSchema#"
	tests := []struct {
		attribute string
		want      []xacml.AttributeValue // nil: refused
	}{
		{`{"AttributeId":"a","Value":"x"}`, []xacml.AttributeValue{{DataType: xs + "string", Text: "x"}}},
		{`{"attributeId":"a","value":7}`, []xacml.AttributeValue{{DataType: xs + "integer", Text: "7"}}},
		{`{"AttributeId":"a","Value":[1,2.5]}`, []xacml.AttributeValue{{DataType: xs + "double", Text: "1"}, {DataType: xs + "double", Text: "2.5"}}},
		{`{"AttributeId":"a","Value":true}`, []xacml.AttributeValue{{DataType: xs + "boolean", Text: "true"}}},
		{`{"AttributeId":"a","DataType":"anyURI","Value":"urn:x"}`, []xacml.AttributeValue{{DataType: xs + "anyURI", Text: "urn:x"}}},
		{`{"AttributeId":"a","DataType":"http://www.w3.org/2001/XMLSchema#date","Value":["2026-01-01"]}`, []xacml.AttributeValue{{DataType: xs + "date", Text: "2026-01-01"}}},
		{`{"AttributeId":"a","DataType":"rfc822Name","Value":"a@b"}`, []xacml.AttributeValue{{DataType: "urn:oasis:names:tc:xacml:1.0:data-type:rfc822Name", Text: "a@b"}}},
		{`{"AttributeId":"a","Value":{"XPathCategory":"c","XPath":"//x:y","Namespaces":[{"Prefix":"x","Namespace":"urn:x"}]}}`, []xacml.AttributeValue{{
			DataType: "urn:oasis:names:tc:xacml:3.0:data-type:xpathExpression", Text: "//x:y", XPathCategory: "c", Prefixes: map[string]string{"x": "urn:x"},
		}}},
		{`{"AttributeId":"a","Value":null}`, nil},
		{`{"AttributeId":"a"}`, nil},
		{`{"AttributeId":"a","Value":[[1]]}`, nil},
		{`{"Value":"x"}`, nil},
		{`{"AttributeId":7,"Value":"x"}`, nil},
	}
	for _, test := range tests {
		r, err := jsonform.ReadRequest([]byte(`{"Request":{"Resource":{"Attribute":`+test.attribute+`}}}`), xmltree.Limits{})
		if err != nil {
			t.Errorf("%s: %v", test.attribute, err)
			continue
		}
		c := r.Categories[0]
		if test.want == nil {
			if c.Fault == "" {
				t.Errorf("%s was accepted", test.attribute)
			}
			continue
		}
		if c.Fault != "" {
			t.Errorf("%s: %s", test.attribute, c.Fault)
			continue
		}
		if diff := cmp.Diff(test.want, c.Attributes[0].Values); diff != "" {
			t.Errorf("%s: %s", test.attribute, diff)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{``, `[]`, `{}`, `{"Request":null}`, `{"Request":[]}`, `{"Request":{}} x`, `{"Request":{"ReturnPolicyIdList":"yes"}}`, "{\"Request\":{\"\xff\":1}}", strings.Repeat("[", 20000)} {
		if _, err := jsonform.ReadRequest([]byte(text), xmltree.Limits{}); err == nil {
			t.Errorf("%.40q was accepted", text)
		}
	}
	if _, err := jsonform.ReadRequest(make([]byte, 10<<20), xmltree.Limits{}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("10 MB: %v", err)
	}
}

// What is of another type than it should be is named, and none of it repeated: it may be about a person.
func TestWrongTypes(t *testing.T) {
	const secret = "31010112345"
	for _, row := range []struct{ text, want string }{
		{`{"Request":{"CombinedDecision":` + secret + `}}`, "the text is no JSON request: Request.CombinedDecision is a number and not a boolean"},
		{`{"Request":["` + secret + `"]}`, "the text is no JSON request: Request is an array and not an object"},
		{`{"Request":{"Category":["` + secret + `"]}}`, "a category is no object of attributes: it is a string and not an object"},
		{`{"Request":{"Category":[{"CategoryId":"a","Content":{"` + secret + `":1}}]}}`, "a category is no object of attributes: Content is an object and not a string"},
		{`{"Request":{"Resource":[{"Attribute":[{"AttributeId":"b","IncludeInResult":"` + secret + `","Value":"` + secret + `"}]}]}}`,
			"an attribute of " + xacml.ResourceCategory + ": IncludeInResult is a string and not a boolean"},
		{`{"Request":{"MultiRequests":{"RequestReference":[{"ReferenceId":"` + secret + `"}]}}}`,
			"a RequestReference is no list of ReferenceId: ReferenceId is a string and not an array"},
	} {
		r, err := jsonform.ReadRequest([]byte(row.text), xmltree.Limits{})
		got := ""
		switch {
		case err != nil:
			got = err.Error()
		case len(r.Questions) > 0:
			got = r.Questions[0].Fault
		default:
			got = r.Categories[0].Fault
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.text, got, row.want)
		}
	}
}

func TestContent(t *testing.T) {
	for _, content := range []string{`<a xmlns=\"urn:x\"><b/></a>`, `PGEgeG1sbnM9InVybjp4Ij48Yi8+PC9hPg==`} {
		r, err := jsonform.ReadRequest([]byte(`{"Request":{"Resource":{"Content":"`+content+`"}}}`), xmltree.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if c := r.Categories[0]; c.Fault != "" || c.Content.Children[0].Space != "urn:x" {
			t.Errorf("%s: %s", content, c.Fault)
		}
	}
	r, err := jsonform.ReadRequest([]byte(`{"Request":{"Resource":{"Content":"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"}}}`), xmltree.Limits{})
	if err != nil || r.Categories[0].Fault == "" {
		t.Errorf("a document type was accepted: %v", err)
	}
}

func TestWriteResponse(t *testing.T) {
	response := &xacml.Response{Results: []xacml.Result{{
		Decision: xacml.Permit,
		Status:   xacml.Status{Code: xacml.StatusOK},
		Obligations: []xacml.Obligation{{ID: "o", Assignments: []xacml.Assignment{{
			ID: "a", Category: "c", Value: xacml.AttributeValue{DataType: "http://www.w3.org/2001/XMLSchema#integer", Text: "2"},
		}}}},
		Policies: []xacml.PolicyID{{ID: "p", Version: "1.0"}},
	}}}
	tests := []struct {
		style jsonform.Style
		want  string
	}{
		{jsonform.Style{}, `{"Response":[{"Decision":"Permit","Status":{"StatusCode":{"Value":"urn:oasis:names:tc:xacml:1.0:status:ok"}},` +
			`"Obligations":[{"Id":"o","AttributeAssignment":[{"AttributeId":"a","Value":2,"Category":"c","DataType":"http://www.w3.org/2001/XMLSchema#integer"}]}],` +
			`"PolicyIdentifierList":{"PolicyIdReference":[{"Id":"p","Version":"1.0"}]}}]}`},
		{jsonform.Style{CamelCase: true, Nulls: true, Strings: true, Rename: map[string]string{"AssociatedAdvice": "associateAdvice", "StatusDetail": "statusDetails"}},
			`{"response":[{"decision":"Permit","status":{"statusMessage":null,"statusDetails":null,"statusCode":{"value":"urn:oasis:names:tc:xacml:1.0:status:ok","statusCode":null}},` +
				`"obligations":[{"id":"o","attributeAssignment":[{"attributeId":"a","value":"2","category":"c","dataType":"http://www.w3.org/2001/XMLSchema#integer","issuer":null}]}],` +
				`"associateAdvice":null,"category":null,"policyIdentifierList":{"policyIdReference":[{"id":"p","version":"1.0"}],"policySetIdReference":null}}]}`},
	}
	for _, test := range tests {
		got, err := jsonform.WriteResponse(response, test.style)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestWriteAnyText holds that texts are escaped as encoding/json does.
func TestWriteAnyText(t *testing.T) {
	for _, text := range []string{"plain", `a "quoted" \ text`, "<&>", "æøå", "\u2028", "\x00\n\t\x7f", "not \xff UTF-8"} {
		got, err := jsonform.WriteResponse(&xacml.Response{Results: []xacml.Result{{Status: xacml.Status{Message: text}}}}, jsonform.Style{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got), `"StatusMessage":`+string(want)+`,`) {
			t.Errorf("%q is written as %s, want %s", text, got, want)
		}
	}
}

// TestZeroResponse holds that a response nobody filled in lets nobody in.
func TestZeroResponse(t *testing.T) {
	got, err := jsonform.WriteResponse(&xacml.Response{Results: make([]xacml.Result, 1)}, jsonform.Style{})
	if err != nil || !json.Valid(got) || !strings.Contains(string(got), `"Decision":"Indeterminate"`) {
		t.Errorf("%s %v", got, err)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"Request":{"AccessSubject":{"Attribute":[{"AttributeId":"a","Value":["x",1,true]}]},"MultiRequests":{"RequestReference":[{"ReferenceId":["a"]}]}}}`))
	f.Add([]byte(`{"Request":{"Resource":[{"Id":"r","Content":"<a/>","Attribute":{"AttributeId":"urn:oasis:names:tc:xacml:3.0:multiple:content-selector","Value":{"XPathCategory":"urn:oasis:names:tc:xacml:3.0:attribute-category:resource","XPath":"//a"}}}]}}`))
	policy, err := xacml.Parse([]byte(`<Policy xmlns="`+xacml.Namespace+`" PolicyId="p" Version="1.0" RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/><Rule RuleId="r" Effect="Permit"/></Policy>`), xacml.ParseOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := jsonform.ReadRequest(data, xmltree.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		written, err := jsonform.WriteResponse(xacml.Respond(policy, r, xacml.Options{}), jsonform.Style{Nulls: true})
		if err != nil || !json.Valid(written) {
			t.Errorf("%s: %v", written, err)
		}
	})
}
