package relations_test

import (
	"testing"

	"github.com/behalf-authz/behalf/schema/relations"
)

// TestSteps holds that every version has a step, and the last step is to this version.
func TestSteps(t *testing.T) {
	for i, s := range relations.Steps {
		if s.Version != i+1 || s.Oldest < 1 || s.Oldest > s.Version {
			t.Errorf("step %d is to version %d, for programs that know %d", i, s.Version, s.Oldest)
		}
		if len(s.Renames) > 0 && s.Oldest != s.Version {
			t.Errorf("version %d renames relations, which programs that know %d would still write", s.Version, s.Oldest)
		}
	}
	if len(relations.Steps) != relations.Version {
		t.Errorf("there are %d steps to version %d", len(relations.Steps), relations.Version)
	}
}
