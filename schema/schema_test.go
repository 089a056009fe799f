package schema_test

import (
	"os"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/schema"
)

// TestGeneratedCodeIsCurrent fails when a contract was changed and the code was not
// generated anew. CI besides generates it and compares every byte.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	want, err := schema.SourcesSum(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("gen/SOURCES.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(got)) != want {
		t.Error("schema/gen is older than schema/proto: run `go generate ./schema`")
	}
}
