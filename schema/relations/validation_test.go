package relations_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/schema/relations/assert"
)

// SpiceDB takes the schema, types and all.
func TestSchemaIsSound(t *testing.T) {
	failures, err := assert.Schema(t.Context(), relations.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range failures {
		t.Error(failure)
	}
}

// Every validation file holds.
func TestValidationFiles(t *testing.T) {
	files, err := filepath.Glob("validation/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no validation files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			result, err := assert.Run(t.Context(), relations.Schema, text)
			if err != nil {
				t.Fatal(err)
			}
			for _, failure := range result.Failures {
				t.Errorf("%s: %s", file, failure)
			}
			t.Logf("%d assertions", result.Assertions)
		})
	}
}
