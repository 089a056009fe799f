package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

// convertOpenAPI turns the plugin's OpenAPI 2 document into OpenAPI 3: the plugin
// for version 3 does not read a gRPC API configuration.
func convertOpenAPI(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "schema", "gen", "openapi", "behalf.swagger.json"))
	if err != nil {
		return err
	}
	var v2 openapi2.T
	if err := json.Unmarshal(text, &v2); err != nil {
		return fmt.Errorf("read OpenAPI 2: %w", err)
	}
	v3, err := openapi2conv.ToV3(&v2)
	if err != nil {
		return fmt.Errorf("convert OpenAPI 2 to 3: %w", err)
	}
	mend(v3)
	out, err := json.MarshalIndent(v3, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "schema", "openapi", "behalf.json"), append(out, '\n'), 0o644)
}

// mend says what the plugin cannot know, or OpenAPI 2 cannot say: how the gateway answers
// faults, that the credentials are a bearer's, and that a path that names something by a
// reference leaves no room for another name in the query.
func mend(document *openapi3.T) {
	document.Components.SecuritySchemes["bearer"].Value = openapi3.NewSecurityScheme().
		WithType("http").WithScheme("bearer").WithDescription("A token or an API key")
	document.Components.Schemas["Problem"] = problem().NewRef()
	delete(document.Components.Schemas, "rpcStatus")
	delete(document.Components.Schemas, "protobufAny") // which rpcStatus alone refers to
	for _, path := range slices.Sorted(maps.Keys(document.Paths.Map())) {
		for _, operation := range document.Paths.Value(path).Operations() {
			operation.Responses.Set("default", &openapi3.ResponseRef{Value: openapi3.NewResponse().
				WithDescription("The call was refused, or failed.").
				WithContent(openapi3.Content{"application/problem+json": openapi3.NewMediaType().
					WithSchemaRef(openapi3.NewSchemaRef("#/components/schemas/Problem", nil))})})
			operation.Parameters = slices.DeleteFunc(operation.Parameters, func(p *openapi3.ParameterRef) bool {
				if p.Value.In != "query" {
					return false
				}
				name, _, below := strings.Cut(p.Value.Name, ".")
				return below && strings.Contains(path, "{"+name+".")
			})
		}
	}
}

// problem is what gateway/problem writes.
func problem() *openapi3.Schema {
	text := func(description string) *openapi3.Schema {
		s := openapi3.NewStringSchema()
		s.Description = description
		return s
	}
	violation := openapi3.NewObjectSchema().
		WithProperty("field", text("the field or parameter")).
		WithProperty("message", text("what is wrong with it")).
		WithRequired([]string{"field", "message"})
	metadata := openapi3.NewObjectSchema().WithAdditionalProperties(openapi3.NewStringSchema())
	metadata.Description = "what else the reason is about, such as the scope that is missing"
	s := openapi3.NewObjectSchema().
		WithProperty("type", text("a URN of the reason")).
		WithProperty("title", text("the phrase of the status")).
		WithProperty("status", openapi3.NewInt32Schema()).
		WithProperty("detail", text("a sentence for people")).
		WithProperty("code", text("the name of the gRPC code, such as INVALID_ARGUMENT")).
		WithProperty("reason", text("for programs: it never changes its meaning")).
		WithProperty("metadata", metadata).
		WithProperty("violations", openapi3.NewArraySchema().WithItems(violation)).
		WithProperty("request_id", text("finds the request in the server's log")).
		WithRequired([]string{"type", "title", "status", "code", "reason"}).
		WithoutAdditionalProperties()
	s.Description = "A problem document of RFC 9457."
	return s
}
