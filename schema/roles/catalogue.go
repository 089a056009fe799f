package roles

import (
	"slices"
	"strings"
)

// Catalogue is the loaded role catalogue. It does not change and is safe for concurrent use.
type Catalogue struct {
	roles    []Role
	packages []Package
	areas    []Area

	roleByText        map[string]int // lower-case code, legacy code, slug, relation, URN, legacy URN
	roleByRelation    map[string]int
	packageByText     map[string]int // lower-case code, relation, URN and its last part
	packageByRelation map[string]int

	holdings  map[string]holding // relation of a tuple on a party → what it says
	unitTypes []string
}

// Roles returns all roles in the catalogue's order.
func (c *Catalogue) Roles() []Role { return slices.Clone(c.roles) }

// Packages returns all access packages in the catalogue's order.
func (c *Catalogue) Packages() []Package { return slices.Clone(c.packages) }

// Areas returns the areas that packages belong to.
func (c *Catalogue) Areas() []Area { return slices.Clone(c.areas) }

// UnitTypes returns the unit types that a grant depends on, sorted. A party of one of
// them has its UnitMarker in the graph.
func (c *Catalogue) UnitTypes() []string { return slices.Clone(c.unitTypes) }

// Role returns the role that the text names by code, legacy code, slug, relation, URN or
// legacy URN, in any case.
func (c *Catalogue) Role(text string) (Role, bool) {
	i, ok := c.roleByText[strings.ToLower(text)]
	if !ok {
		return Role{}, false
	}
	return c.roles[i], true
}

// ByRelation returns the role with the relation. It takes the plain relation only, not
// those of organisations and exceptions that Held knows.
func (c *Catalogue) ByRelation(relation string) (Role, bool) {
	i, ok := c.roleByRelation[relation]
	if !ok {
		return Role{}, false
	}
	return c.roles[i], true
}

// Package returns the access package that the text names by code, relation, URN or the
// last part of the URN, in any case.
func (c *Catalogue) Package(text string) (Package, bool) {
	i, ok := c.packageByText[strings.ToLower(text)]
	if !ok {
		return Package{}, false
	}
	return c.packages[i], true
}

// PackageByRelation returns the access package with the relation, without any prefix.
func (c *Catalogue) PackageByRelation(relation string) (Package, bool) {
	i, ok := c.packageByRelation[relation]
	if !ok {
		return Package{}, false
	}
	return c.packages[i], true
}
