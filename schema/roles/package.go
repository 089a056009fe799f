package roles

import "slices"

// Package is an access package: a bundle of services that a role or a delegation opens.
// Its slices are shared: read them only.
type Package struct {
	ID         string     `json:"id"`
	Code       string     `json:"code"`
	URN        string     `json:"urn"`
	Name       string     `json:"name"` // Norwegian
	NameEN     string     `json:"name_en"`
	Provider   Provider   `json:"provider"`
	EntityType EntityType `json:"entity_type"` // whose services it opens
	Area       string     `json:"area"`        // code of the area it belongs to
	Assignable bool       `json:"assignable"`  // whether it can be given to a right holder
	Delegable  bool       `json:"delegable"`   // whether it can be given on to clients' agents

	// Relation is the package's name in the schema: pkg_<Relation> is who was given it,
	// has_pkg_<Relation> who may use it. The data names it where the code is too long.
	Relation string `json:"relation"`
	// Grants are what roles give, in the order of the roles.
	Grants []Grant `json:"-"`
}

// Grant is what holding a role gives in a package. It is about the role itself: another
// role that implies it does not bring its packages.
type Grant struct {
	Role     string // relation of the role
	UnitType string // the unit type for which alone it holds, empty for all
	Access   bool   // may use the package
	Delegate bool   // may pass the package on
	Assign   bool   // may appoint others for the package
}

// Area is a group of packages, as portals show them.
type Area struct {
	Code   string `json:"code"`
	Name   string `json:"name"` // Norwegian
	NameEN string `json:"name_en"`
	Group  string `json:"group"` // general, industry, special, inhabitant or guardianship
}

// clientRoles are the roles of organisations that do the work of others: accountants,
// auditors and business managers, by relation.
var clientRoles = []string{"regn", "revi", "ffor"}

// ClientRoles returns the relations of the roles in which an organisation may pass the
// package on to its own agents, for those who have it in the role. Each of them brings the
// package, perhaps for some unit types only; see ClientGrants.
func (p Package) ClientRoles() []string {
	var found []string
	for _, g := range p.Grants {
		if p.Delegable && g.Access && slices.Contains(clientRoles, g.Role) && !slices.Contains(found, g.Role) {
			found = append(found, g.Role)
		}
	}
	return found
}

// ClientGrants reports whether a provider in the role may pass the package on to its agents
// for a client of the unit type.
func (p Package) ClientGrants(role, unitType string) bool {
	return p.Delegable && slices.Contains(clientRoles, role) && slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.Access && g.Role == role && (g.UnitType == "" || g.UnitType == unitType)
	})
}
