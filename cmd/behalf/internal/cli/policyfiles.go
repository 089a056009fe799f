package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// In a directory of our own formats a policy is a file whose place says what it decides
// about: policies/apps/ORG/APP.xml, policies/resources/ID.xml or policies/types/TYPE.xml.
const (
	policiesDir  = "policies"
	appsDir      = "apps"
	resourcesDir = "resources"
	typesDir     = "types"
	policyEnd    = ".xml"
	anyOfEnd     = ".altinn-anyof.xml" // read with any_of_per_category
)

// policyPlace returns the place of a policy in a directory.
func policyPlace(r *behalfv1.PolicyRef, anyOf bool) string {
	end := policyEnd
	if anyOf {
		end = anyOfEnd
	}
	switch {
	case r.GetApp() != "":
		return filepath.Join(policiesDir, appsDir, fileName(r.GetOrg()), fileName(r.GetApp())+end)
	case r.GetResource() != "":
		return filepath.Join(policiesDir, resourcesDir, fileName(r.GetResource())+end)
	}
	return filepath.Join(policiesDir, typesDir, fileName(r.GetType())+end)
}

// fileName returns a name that names a file on every system: what is neither letter, digit,
// '.', '_' nor '-' is escaped as in a URL, and so is a dot that hides a file, means a
// directory, or could be taken for an ending.
func fileName(name string) string {
	escaped := url.PathEscape(name)
	for _, c := range []string{"$", "&", "+", ",", ":", ";", "=", "@", "!", "'", "(", ")", "*", "~"} {
		escaped = strings.ReplaceAll(escaped, c, fmt.Sprintf("%%%02X", c[0]))
	}
	if strings.HasPrefix(escaped, ".") {
		escaped = "%2E" + escaped[1:]
	}
	if stem, ok := strings.CutSuffix(escaped, strings.TrimSuffix(anyOfEnd, policyEnd)); ok {
		escaped = stem + "%2Ealtinn-anyof"
	}
	return escaped
}

// policyAt returns what a policy decides about that stands at a place.
func policyAt(place string) (ref *behalfv1.PolicyRef, anyOf bool, err error) {
	stem, anyOf := strings.CutSuffix(place, anyOfEnd)
	if !anyOf {
		stem = strings.TrimSuffix(place, policyEnd)
	}
	parts := strings.Split(stem, "/")
	for i := range parts {
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return nil, false, err
		}
	}
	switch {
	case len(parts) == 4 && parts[0] == policiesDir && parts[1] == appsDir:
		return &behalfv1.PolicyRef{Org: parts[2], App: parts[3]}, anyOf, nil
	case len(parts) == 3 && parts[0] == policiesDir && parts[1] == resourcesDir:
		return &behalfv1.PolicyRef{Resource: parts[2]}, anyOf, nil
	case len(parts) == 3 && parts[0] == policiesDir && parts[1] == typesDir:
		return &behalfv1.PolicyRef{Type: parts[2]}, anyOf, nil
	}
	return nil, false, fmt.Errorf("stands not in policies/apps/ORG/APP.xml, policies/resources/ID.xml or policies/types/TYPE.xml")
}

// exportPolicies writes the current policies into a directory, as of one state, and returns
// how many there are. Texts never change, so that those of the list can be fetched later.
func exportPolicies(ctx context.Context, service behalfv1.PolicyServiceClient, dir string) (int, error) {
	all, err := listPolicies(ctx, service)
	if err != nil {
		return 0, err
	}
	for _, p := range all.GetPolicies() {
		policy, err := service.GetPolicy(ctx, &behalfv1.GetPolicyRequest{Ref: p.GetRef(), Etag: p.GetEtag()})
		if err != nil {
			return 0, err
		}
		path := filepath.Join(dir, policyPlace(p.GetRef(), p.GetAnyOfPerCategory()))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return 0, err
		}
		if err := os.WriteFile(path, policy.GetText(), 0o600); err != nil {
			return 0, err
		}
	}
	return len(all.GetPolicies()), nil
}
