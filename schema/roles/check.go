package roles

import (
	"fmt"
	"strings"
)

// faults collects what is wrong with the data, each fault with the entry it is about.
type faults struct {
	all     []error
	subject string
}

// of says what the faults that follow are about.
func (f *faults) of(kind, name string) { f.subject = fmt.Sprintf("%s %q", kind, name) }

func (f *faults) add(format string, args ...any) {
	f.all = append(f.all, fmt.Errorf("%s: "+format, append([]any{f.subject}, args...)...))
}

func (f *faults) addError(err error) {
	if err != nil {
		f.add("%w", err)
	}
}

// require takes pairs of a field's name and its value, which may be neither empty nor
// have space around it.
func (f *faults) require(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if text := pairs[i+1]; text == "" || strings.TrimSpace(text) != text {
			f.add("%s is %q", pairs[i], text)
		}
	}
}

func checkRole(f *faults, r Role) {
	f.require("code", r.Code, "urn", r.URN, "name", r.Name, "name_en", r.NameEN)
	f.addError(checkRoleName(r.Relation))
	checkCommon(f, r.Slug, r.Provider, r.EntityType)
	if (r.LegacyCode == "") != (r.LegacyURN == "") {
		f.add("has one of legacy_code and legacy_urn, not both")
	}
	switch r.Holders {
	case Anybody, Persons, Organisations:
	default:
		f.add("holders is %q", r.Holders)
	}
	switch r.Link {
	case NoLink:
	case MainUnit, OrgLevel:
		if r.Holders != Organisations || r.KeyRole || r.SoleTrader || r.KeyHolders {
			f.add("a link is held by organisations and gives nothing else")
		}
	default:
		f.add("link is %q", r.Link)
	}
	if r.KeyRole && r.Holders == Organisations {
		f.add("is a key role that no person can hold")
	}
	if len(r.NoKeyIn) > 0 && !r.KeyRole {
		f.add("no_key_in is for key roles")
	}
	if r.KeyHolders && (r.KeyRole || r.Holders != Persons) {
		f.add("key_holders is for a role of persons that is no key role")
	}
	for _, unitType := range r.NoKeyIn {
		checkUnitType(f, unitType)
	}
}

func checkPackage(f *faults, p Package) {
	f.require("id", p.ID, "name", p.Name, "name_en", p.NameEN)
	f.addError(checkPackageName(p.Relation))
	checkCommon(f, p.Code, p.Provider, p.EntityType)
	if !strings.HasPrefix(p.URN, "urn:") {
		f.add("urn is %q", p.URN)
	}
}

func checkCommon(f *faults, slug string, p Provider, e EntityType) {
	if !legalSlug.MatchString(slug) {
		f.add("is not of lower-case letters and digits joined by -")
	}
	switch p {
	case Altinn2, Altinn3, CCR, CRA:
	default:
		f.add("provider is %q", p)
	}
	switch e {
	case Organisation, Person:
	default:
		f.add("entity_type is %q", e)
	}
}

func checkGrants(f *faults, g grants) {
	if !g.Access && !g.Delegate {
		f.add("grants neither access nor delegate")
	}
	if len(g.Packages) == 0 {
		f.add("names no package")
	}
	if g.UnitType != "" {
		checkUnitType(f, g.UnitType)
	}
}

func checkUnitType(f *faults, unitType string) {
	if !legalUnitType.MatchString(unitType) {
		f.add("unit type is %q", unitType)
	}
}

// checkCycles finds roles that imply themselves, which neither closure nor schema could
// make sense of.
func (c *Catalogue) checkCycles(f *faults) {
	const (
		open = 1 + iota
		done
	)
	state := make([]uint8, len(c.roles))
	var walk func(i int)
	walk = func(i int) {
		state[i] = open
		for _, relation := range c.roles[i].Implies {
			switch j := c.roleByRelation[relation]; state[j] {
			case open:
				f.of("implications.json: role", c.roles[j].Slug)
				f.add("implies itself, through %s", c.roles[i].Slug)
			case done:
			default:
				walk(j)
			}
		}
		state[i] = done
	}
	for i := range c.roles {
		if state[i] == 0 {
			walk(i)
		}
	}
}
