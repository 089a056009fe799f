package authn

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$`)

// checkNewKey returns an Invalid fault that names every argument that is wrong.
func checkNewKey(name string, scopes []caller.Scope, expires, now time.Time) error {
	var wrong []fault.Violation
	if !keyName.MatchString(name) {
		wrong = append(wrong, fault.Violation{
			Field:   "name",
			Message: "must begin with a letter or digit and have at most 63 letters, digits, spaces, dots, underscores and hyphens",
		})
	}
	if len(scopes) == 0 {
		wrong = append(wrong, fault.Violation{Field: "scopes", Message: "must name at least one of " + scopeNames()})
	}
	for i, s := range scopes {
		if !slices.Contains(caller.Scopes, s) {
			wrong = append(wrong, fault.Violation{
				Field:   fmt.Sprintf("scopes[%d]", i),
				Message: fmt.Sprintf("%.64q is no scope; must be one of %s", string(s), scopeNames()),
			})
		}
	}
	if !expires.IsZero() && !now.Before(expires) {
		wrong = append(wrong, fault.Violation{Field: "expires_at", Message: "must be in the future"})
	}
	if len(wrong) == 0 {
		return nil
	}
	e := fault.Field(wrong[0].Field, "%s", wrong[0].Message)
	e.Violations = wrong
	return e
}

func scopeNames() string {
	names := make([]string, len(caller.Scopes))
	for i, s := range caller.Scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}
