package assert_test

import (
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/schema/relations/assert"
)

const schema = `definition user {}
definition doc {
	relation reader: user
}`

func TestRunReportsWhatIsNotSo(t *testing.T) {
	result, err := assert.Run(t.Context(), schema, []byte(`relationships: |-
  doc:1#reader@user:1
assertions:
  assertTrue:
    - doc:1#reader@user:1
    - doc:1#reader@user:2
  assertFalse:
    - doc:1#reader@user:1
validation:
  doc:1#reader: []
`))
	if err != nil {
		t.Fatal(err)
	}
	if result.Assertions != 4 || len(result.Failures) != 3 {
		t.Fatalf("%d assertions, failures %v", result.Assertions, result.Failures)
	}
	if got := result.Failures[0].String(); !strings.Contains(got, "line 6") || !strings.Contains(got, "doc:1#reader@user:2") {
		t.Errorf("first failure is %q", got)
	}
}

func TestRunTakesTheFilesOwnSchema(t *testing.T) {
	result, err := assert.Run(t.Context(), "definition other {}", []byte(`schema: |-
  definition user {}
  definition doc {
    relation reader: user
  }
relationships: doc:1#reader@user:1
assertions:
  assertTrue: ["doc:1#reader@user:1"]
`))
	if err != nil || len(result.Failures) != 0 {
		t.Fatalf("%v %v", result, err)
	}
}

func TestRunRefusesWhatCannotFail(t *testing.T) {
	for name, file := range map[string]string{
		"no assertion": "relationships: doc:1#reader@user:1",
		"empty":        "",
		"no YAML":      "\t{",
		"schema file":  "schemaFile: other.zed\nassertions: {assertTrue: [\"doc:1#reader@user:1\"]}",
	} {
		if _, err := assert.Run(t.Context(), schema, []byte(file)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFaultsOfSchemaAndRelationshipsAreFailures(t *testing.T) {
	failures, err := assert.Schema(t.Context(), "definition doc {\n\trelation reader: nobody\n}")
	if err != nil || len(failures) == 0 {
		t.Errorf("schema: %v %v", failures, err)
	}
	result, err := assert.Run(t.Context(), schema, []byte("relationships: doc:1#writer@user:1\nassertions: {assertTrue: [\"doc:1#reader@user:1\"]}"))
	if err != nil || len(result.Failures) == 0 {
		t.Errorf("relationships: %v %v", result, err)
	}
}
