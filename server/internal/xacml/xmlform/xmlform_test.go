package xmlform_test

import (
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmlform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

const open = `<Request xmlns="` + xacml.Namespace + `" ReturnPolicyIdList="false" CombinedDecision="false">`

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             ``,
		"another element":   `<Policy xmlns="` + xacml.Namespace + `"/>`,
		"another namespace": `<Request xmlns="urn:oasis:names:tc:xacml:2.0:context:schema:os"/>`,
		"unknown element":   open + `<Subject/></Request>`,
		"no boolean":        `<Request xmlns="` + xacml.Namespace + `" ReturnPolicyIdList="maybe"/>`,
		"external entity":   `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + open + `</Request>`,
		"unknown entity":    open + `<Attributes Category="c"><Attribute AttributeId="&x;"/></Attributes></Request>`,
		"not closed":        open,
		"deep":              open + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + `</Request>`,
		"large":             open + strings.Repeat(" ", 10<<20) + `</Request>`,
		"many":              open + strings.Repeat(`<Attributes Category="c"/>`, 39_000) + `</Request>`,
		"encoding":          `<?xml version="1.0" encoding="UTF-16"?>` + open + `</Request>`,
	} {
		if r, err := xmlform.ReadRequest([]byte(text), xmltree.Limits{Nodes: 50_000}); err == nil {
			t.Errorf("%s was accepted: %d categories", name, len(r.Categories))
		}
	}
}

func TestFaultsOfParts(t *testing.T) {
	for _, part := range []string{
		`<Attributes/>`,
		`<Attributes Category="c"><Attribute IncludeInResult="false"><AttributeValue DataType="d">x</AttributeValue></Attribute></Attributes>`,
		`<Attributes Category="c"><Attribute AttributeId="a"/></Attributes>`,
		`<Attributes Category="c"><Attribute AttributeId="a"><AttributeValue>x</AttributeValue></Attribute></Attributes>`,
		`<Attributes Category="c"><Content/></Attributes>`,
		`<Attributes Category="c"><Content><a/><b/></Content></Attributes>`,
		`<Attributes Category="c"><Other/></Attributes>`,
	} {
		r, err := xmlform.ReadRequest([]byte(open+part+`</Request>`), xmltree.Limits{})
		if err != nil {
			t.Errorf("%s: %v", part, err)
			continue
		}
		if r.Categories[0].Fault == "" || !strings.Contains(r.Categories[0].Fault, "line 1") {
			t.Errorf("%s: fault %q", part, r.Categories[0].Fault)
		}
	}
}

// TestZeroResponse holds that a response nobody filled in lets nobody in.
func TestZeroResponse(t *testing.T) {
	got := string(xmlform.WriteResponse(&xacml.Response{Results: make([]xacml.Result, 1)}))
	if !strings.Contains(got, "<Decision>Indeterminate</Decision>") {
		t.Error(got)
	}
}

func TestWriteEscapes(t *testing.T) {
	r := &xacml.Response{Results: []xacml.Result{{
		Status: xacml.Status{Code: xacml.StatusMissingAttribute, Message: `<&>"`, Missing: []xacml.MissingAttribute{{Category: "c", ID: `a"<`, DataType: "d"}}},
		Obligations: []xacml.Obligation{{ID: `o"`, Assignments: []xacml.Assignment{{ID: "a", Value: xacml.AttributeValue{
			DataType: "x", Text: "//p:a", XPathCategory: "c", Prefixes: map[string]string{"p": "urn:p"},
		}}}}},
	}}}
	root, err := xmltree.Parse(xmlform.WriteResponse(r), xmltree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	result := root.Elements()[0].Elements()
	if got := result[1].Elements()[1].Value(); got != `<&>"` {
		t.Errorf("message %q", got)
	}
	if got := result[2].Elements()[0].Elements()[0].Namespaces()["p"]; got != "urn:p" {
		t.Errorf("prefix %q", got)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(open + `<Attributes Category="c" xml:id="i"><Content><a xmlns:p="u"><p:b/></a></Content><Attribute AttributeId="a" IncludeInResult="true"><AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">x</AttributeValue></Attribute></Attributes><MultiRequests><RequestReference><AttributesReference ReferenceId="i"/></RequestReference></MultiRequests></Request>`))
	f.Add([]byte(open + `<Attributes Category="c"><Content><a/></Content><Attribute AttributeId="urn:oasis:names:tc:xacml:3.0:multiple:content-selector"><AttributeValue DataType="urn:oasis:names:tc:xacml:3.0:data-type:xpathExpression" XPathCategory="c">//a</AttributeValue></Attribute></Attributes></Request>`))
	policy, err := xacml.Parse([]byte(`<Policy xmlns="`+xacml.Namespace+`" PolicyId="p" Version="1.0" RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides"><Target/><Rule RuleId="r" Effect="Permit"/></Policy>`), xacml.ParseOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := xmlform.ReadRequest(data, xmltree.Limits{Bytes: 1 << 16})
		if err != nil {
			return
		}
		written := xmlform.WriteResponse(xacml.Respond(policy, r, xacml.Options{Explain: true}))
		if _, err := xmltree.Parse(written, xmltree.Limits{Bytes: 1 << 30, Nodes: 1 << 30}); err != nil {
			t.Errorf("%v: %s", err, written)
		}
	})
}
