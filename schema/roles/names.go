package roles

import (
	"fmt"
	"regexp"
	"strings"
)

// What the schema adds to a role's or package's name.
const (
	suffixOrg   = "_org"
	suffixNoKey = "_nokey"
	prefixUnit  = "unit_"
)

// The longest names. SpiceDB takes 64 bytes for a relation or permission: a role needs
// room for the prefixes and suffixes of the schema, a package for may_delegate_pkg_.
const (
	maxRole    = 50
	maxPackage = 64 - len("may_delegate_pkg_")
)

var (
	legalName     = regexp.MustCompile(`^[a-z][a-z0-9_]+[a-z0-9]$`)
	legalSlug     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	legalUnitType = regexp.MustCompile(`^[A-Z]{2,6}$`)
)

var toName = strings.NewReplacer("-", "_", "æ", "ae", "ø", "o", "å", "a")

// name turns a code into a name that SpiceDB accepts: FFØR into ffor.
func name(code string) string { return toName.Replace(strings.ToLower(code)) }

// UnitMarker returns the relation that marks a party as being of the unit type.
func UnitMarker(unitType string) string { return prefixUnit + strings.ToLower(unitType) }

// taken are the words a role cannot be named by: those of the schema language, those that
// a later "use" line would turn into some, and Behalf's own relations of a party.
var taken = map[string]bool{
	"definition": true, "caveat": true, "relation": true, "permission": true, "nil": true, "with": true,
	"use": true, "expiration": true, "and": true, "typechecking": true, "partial": true, "import": true,
	"self": true, "user": true, "systemuser": true, "party": true, "right": true, "group": true, "access_list": true,
	"main_unit": true, "org_level": true, "enk": true, "key_holder": true, "delegated": true, "represent": true,
	"administer": true, "administer_clients": true, "agent_system": true, "client_delegation": true,
}

// takenPrefixes and takenSuffixes begin and end the names that the schema derives.
var (
	takenPrefixes = []string{"has_", "holds_", "pkg_", "may_delegate_", "served_", prefixUnit}
	takenSuffixes = []string{suffixOrg, suffixNoKey}
)

// checkRoleName says why a role cannot have the name.
func checkRoleName(s string) error {
	if err := checkName(s, maxRole); err != nil {
		return err
	}
	if taken[s] {
		return fmt.Errorf("relation %q is taken by the schema", s)
	}
	for _, p := range takenPrefixes {
		if strings.HasPrefix(s, p) {
			return fmt.Errorf("relation %q begins with %s, which the schema uses", s, p)
		}
	}
	return checkSuffix(s)
}

// checkPackageName says why a package cannot have the name. It always stands behind a
// prefix, so that no word is taken.
func checkPackageName(s string) error {
	if err := checkName(s, maxPackage); err != nil {
		return err
	}
	return checkSuffix(s)
}

func checkName(s string, longest int) error {
	if len(s) < 3 || len(s) > longest {
		return fmt.Errorf("relation %q has %d characters, which must be 3 to %d", s, len(s), longest)
	}
	if !legalName.MatchString(s) {
		return fmt.Errorf("relation %q is not of lower-case letters, digits and _", s)
	}
	return nil
}

func checkSuffix(s string) error {
	for _, suffix := range takenSuffixes {
		if strings.HasSuffix(s, suffix) {
			return fmt.Errorf("relation %q ends in %s, which the schema uses", s, suffix)
		}
	}
	return nil
}
