package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

func TestPolicyPlaces(t *testing.T) {
	seen := map[string]bool{}
	for _, ref := range []*behalfv1.PolicyRef{
		{Org: "skd", App: "taxreport"}, {Org: "..", App: ".."}, {Org: "a.b", App: "c.altinn-anyof"}, {Org: "a.b", App: "c.xml"},
		{Resource: "ttd-dialog"}, {Resource: "../../etc/passwd"}, {Resource: "a b/c%2F"}, {Resource: "æ:*?\\\"<>|"}, {Resource: "."},
		{Type: "document"}, {Type: "a.altinn-anyof.xml"},
	} {
		for _, anyOf := range []bool{false, true} {
			place := policyPlace(ref, anyOf)
			if clean := filepath.Clean(place); clean != place || seen[place] || !strings.HasPrefix(place, policiesDir+string(filepath.Separator)) ||
				strings.ContainsAny(place, `:*?\"<>| `) || strings.Contains(place, "/.") {
				t.Errorf("%v: place %q", ref, place)
			}
			seen[place] = true
			back, backAnyOf, err := policyAt(filepath.ToSlash(place))
			if err != nil || !proto.Equal(back, ref) || backAnyOf != anyOf {
				t.Errorf("%v at %q comes back as %v, %v, %v", ref, place, back, backAnyOf, err)
			}
		}
	}
	for _, place := range []string{"policy.xml", "policies/x.xml", "policies/apps/x.xml", "policies/resources/a/b.xml", "policies/types/%zz.xml"} {
		if ref, _, err := policyAt(place); err == nil {
			t.Errorf("%s: %v", place, ref)
		}
	}
}
