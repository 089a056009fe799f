package relations

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/schema/roles"
)

var update = flag.Bool("update", false, "write behalf.zed anew")

// The committed schema is what the catalogue compiles to.
func TestSchemaIsCurrent(t *testing.T) {
	catalogue, err := roles.Load()
	if err != nil {
		t.Fatal(err)
	}
	text, err := Compile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("behalf.zed", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(text, Schema); diff != "" {
		t.Errorf("behalf.zed is stale, run behalf schema generate (-compiled +committed):\n%s", diff)
	}
}
