package jsonform_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/jsonform"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// BenchmarkWriteResponse writes a decision as Altinn's clients get it.
func BenchmarkWriteResponse(b *testing.B) {
	response := &xacml.Response{Results: []xacml.Result{{
		Decision: xacml.Permit,
		Status:   xacml.Status{Code: xacml.StatusOK, Message: "the policy permits it"},
		Obligations: []xacml.Obligation{{ID: "urn:altinn:obligation:authenticationLevel1", Assignments: []xacml.Assignment{{
			ID: "urn:altinn:obligation1-assignment1", Category: "urn:altinn:minimum-authenticationlevel",
			Value: xacml.AttributeValue{DataType: "http://www.w3.org/2001/XMLSchema#integer", Text: "2"},
		}}}},
	}}}
	style := jsonform.Style{CamelCase: true, Nulls: true, Strings: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonform.WriteResponse(response, style); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadRequest reads the question of a client of Altinn.
func BenchmarkReadRequest(b *testing.B) {
	request := []byte(`{"Request":{"AccessSubject":[{"Attribute":[{"AttributeId":"urn:altinn:userid","Value":"2000000003"}]}],` +
		`"Action":[{"Attribute":[{"AttributeId":"urn:oasis:names:tc:xacml:1.0:action:action-id","Value":"read"}]}],` +
		`"Resource":[{"Attribute":[{"AttributeId":"urn:altinn:org","Value":"skd"},{"AttributeId":"urn:altinn:app","Value":"cost"},` +
		`{"AttributeId":"urn:altinn:partyid","Value":"2000000001"}]}]}}`)
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonform.ReadRequest(request, xmltree.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}
