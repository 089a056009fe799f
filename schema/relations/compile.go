package relations

import (
	"errors"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/schema/roles"
)

// maxName is the longest relation or permission that SpiceDB accepts, in bytes.
const maxName = 64

// The types of subjects. What a register or a delegation writes may end on a date, so
// each of them also stands with an expiration.
const (
	persons          = "user | user with expiration"
	organisations    = "party | party with expiration"
	personsOrSystems = "user | systemuser | user with expiration | systemuser with expiration"
	systems          = "systemuser | systemuser with expiration"
)

// Compile returns the schema of the catalogue. The same catalogue always gives the same
// text. It fails when two names of the schema collide or one is too long.
//
// Two properties hold by construction.
//
// A key role is one hop. Every path through an organisation reads …_org->key_holder, and
// key_holder is a union of relations to persons, never of relations to organisations.
//
// Whoever has a role, package or right of a party represents it. Every permission is made
// of seven kinds of term: a relation to persons, …_org->key_holder, another permission of
// the party, main_unit-> the same permission, enk-> a sole trader's permission, what agents
// of a provider may use, and an intersection with one of these on its left. represent has
// every relation to persons and every …_org->key_holder, because the compiler adds them to
// it as it declares the relation; it has every enk arrow the same way; agents have their
// packages by client_delegation->use; main_unit->represent covers the main unit's
// permissions, by induction; and an intersection is no more than its left side. The
// exceptions are the served_ permissions, which say who works for whom and open nothing.
func Compile(catalogue *roles.Catalogue) (string, error) {
	c := &compiler{
		roles:    catalogue.Roles(),
		packages: catalogue.Packages(),
		areas:    catalogue.Areas(),
		units:    catalogue.UnitTypes(),
		givers:   map[string][]string{},
		opens:    map[string]bool{},
		names:    map[string]bool{},
	}
	for _, r := range c.roles {
		for _, implied := range r.Implies {
			c.givers[implied] = append(c.givers[implied], r.Relation)
		}
	}
	for _, p := range c.packages {
		for _, g := range p.Grants {
			c.opens[g.Role] = true
		}
	}
	c.compile()
	if err := errors.Join(c.faults...); err != nil {
		return "", fmt.Errorf("compile the relations schema: %w", err)
	}
	return c.text.String(), nil
}

type compiler struct {
	roles    []roles.Role
	packages []roles.Package
	areas    []roles.Area
	units    []string

	givers map[string][]string // role → roles that imply it
	opens  map[string]bool     // role → whether any package comes with it

	text      strings.Builder
	names     map[string]bool // declared on party
	represent []string        // terms of represent, gathered while declaring
	faults    []error
}

func (c *compiler) compile() {
	c.line("// Behalf relations schema, version %d.", Version)
	c.line("// Compiled from the role catalogue by behalf schema generate: change that, not this.")
	c.line("use expiration")
	c.line("")
	c.line("/** user is whoever can be authenticated as a person. */")
	c.line("definition user {}")
	c.line("")
	c.line("/** systemuser is a program that acts for its owner or for the owner's clients. */")
	c.line("definition systemuser {")
	c.line("\trelation owner: party")
	c.line("}")
	c.line("")
	c.line("/** party is whom one can act for: person, organisation, sub-unit, self-identified user or estate. */")
	c.line("definition party {")
	c.facts()
	c.keyRoles()
	for _, r := range c.roles {
		c.role(r)
	}
	for _, a := range c.areas {
		for _, p := range c.packages {
			if p.Area == a.Code {
				c.pkg(a, p)
			}
		}
	}
	c.clients()
	c.closing()
	c.line("}")
	c.rest()
}

// facts declares what is a fact about a party and no role in it.
func (c *compiler) facts() {
	c.line("\t// The login of this person.")
	c.relation("self", "user")
	c.represent = append(c.represent, "self")
	c.line("")
	c.line("\t// Sub-unit to main unit: what one has in the main unit, one has here. Never the other way.")
	c.relation("main_unit", "party")
	c.line("\t// Level of a public body to the level above. Nothing reads it: rights do not follow.")
	c.relation("org_level", "party")
	c.line("\t// Sole trader to his business: his accountants and auditors there are his own.")
	c.relation("enk", organisations)
	if len(c.units) > 0 {
		c.line("")
		c.line("\t// Unit types that a package depends on: everybody, on a party of that type.")
		for _, unitType := range c.units {
			c.relation(roles.UnitMarker(unitType), "user:*")
		}
	}
	c.line("")
}

// keyRoles declares key_holder before any role reads it.
func (c *compiler) keyRoles() {
	var keys []string
	for _, r := range c.roles {
		if r.KeyRole {
			keys = append(keys, r.Relation)
		}
	}
	c.line("\t// Persons in a key role: they have what this organisation holds for other parties. Relations")
	c.line("\t// to organisations stay out, so that a right passes through one organisation and no more.")
	c.permission("key_holder", keys)
}

func (c *compiler) role(r roles.Role) {
	c.line("")
	c.line("\t// %s: %s (%s)", r.Code, r.Name, r.NameEN)
	if r.Link != roles.NoLink {
		c.line("\t// Joins two parties and is written as %s: nobody acts in it.", r.Link)
		c.permission("has_"+r.Relation, nil)
		return
	}
	var held []string
	if person := r.PersonRelation(""); person != "" {
		c.relation(person, persons)
		held = append(held, person)
	}
	for i, unitType := range r.NoKeyIn {
		if i == 0 {
			c.line("\t// In %s it is no key role, and key holders of an organisation do not share in it.", strings.Join(r.NoKeyIn, ", "))
			c.relation(r.PersonRelation(unitType), persons)
			held = append(held, r.PersonRelation(unitType))
			if organisation := r.OrganisationRelation(unitType); organisation != "" {
				c.relation(organisation, organisations)
			}
		}
	}
	if organisation := r.OrganisationRelation(""); organisation != "" {
		c.relation(organisation, organisations)
		held = append(held, organisation+"->key_holder")
	}
	c.represent = append(c.represent, held...)
	c.has(r, held)
}

// has declares who has the role: those who hold it, and those with a role that implies it.
//
// A package comes with a role that is held, not with one that is implied: a main
// administrator counts as managing director and may pass his packages on, but not use
// them. A role of which both are true so has two permissions.
func (c *compiler) has(r roles.Role, held []string) {
	givers := c.givers[r.Relation]
	if len(givers) > 0 && c.opens[r.Relation] {
		c.line("\t// Without those to whom it comes with another role: they have no packages by it.")
		c.permission("holds_"+r.Relation, c.inherited(r, held, "holds_"))
	}
	terms := held
	if r.KeyHolders {
		terms = append(terms, "key_holder")
	}
	for _, giver := range givers {
		terms = append(terms, "has_"+giver)
	}
	c.permission("has_"+r.Relation, c.inherited(r, terms, "has_"))
	if r.SoleTrader {
		c.represent = append(c.represent, "enk->has_"+r.Relation)
	}
}

// inherited adds what comes from the business of a sole trader and from the main unit.
func (c *compiler) inherited(r roles.Role, terms []string, prefix string) []string {
	terms = append([]string(nil), terms...)
	if r.SoleTrader {
		terms = append(terms, "enk->"+prefix+r.Relation)
	}
	return append(terms, "main_unit->"+prefix+r.Relation)
}

func (c *compiler) pkg(a roles.Area, p roles.Package) {
	c.line("")
	c.line("\t// Package %s: %s (%s); %s", p.Code, p.Name, p.NameEN, a.Name)
	given := "pkg_" + p.Relation
	c.relation(given, personsOrSystems)
	c.relation(given+"_org", organisations)
	held := []string{given, given + "_org->key_holder"}
	c.represent = append(c.represent, held...)

	var use, pass []string
	for _, g := range p.Grants {
		if g.Access {
			use = append(use, c.grant(g))
		}
		if g.Delegate {
			pass = append(pass, c.grant(g))
		}
	}
	if len(p.ClientRoles()) > 0 {
		use = append(use, "client_delegation->use_"+given)
	}
	c.permission("has_"+given, append(append(held, use...), "main_unit->has_"+given))
	if strings.Contains(strings.Join(pass, ""), "unit_") {
		// The unit type is the main unit's, so its sub-units cannot tell by themselves.
		pass = append(pass, "main_unit->may_delegate_"+given)
	}
	c.permission("may_delegate_"+given, pass)
}

// grant returns the term for those to whom a role brings a package.
func (c *compiler) grant(g roles.Grant) string {
	term := "has_" + g.Role
	if len(c.givers[g.Role]) > 0 {
		term = "holds_" + g.Role
	}
	if g.UnitType != "" {
		return "(" + term + " & " + roles.UnitMarker(g.UnitType) + ")"
	}
	return term
}

func (c *compiler) closing() {
	c.line("")
	c.line("\t// Every single right that this party has delegated, written and removed with it.")
	c.relation("right", "right | right with expiration")
	c.permission("delegated", []string{"right->exercise", "main_unit->delegated"})
	c.line("")
	c.line("\t// Who may act for this party at all: whoever has any role, package or right in it.")
	c.permission("represent", append(c.represent, "delegated", "client_delegation->use", "main_unit->represent"))
}

// rest declares what stands beside the party.
func (c *compiler) rest() {
	c.line("")
	c.line("/** right is a single right that a party has delegated: to do one thing with one resource, perhaps one instance of it. */")
	c.line("definition right {")
	c.line("\trelation user: %s", persons)
	c.line("\trelation org: %s", organisations)
	c.line("\trelation systemuser: %s", systems)
	c.line("\tpermission exercise = user + systemuser + org->key_holder")
	c.line("}")
	c.line("")
	c.clientDelegation()
	c.line("/** group is a set of users that others name in one relationship. */")
	c.line("definition group {")
	c.line("\trelation member: user | group#member")
	c.line("}")
	c.line("")
	c.line("/** access_list is a set of parties that a resource is open to. */")
	c.line("definition access_list {")
	c.line("\trelation member: party")
	c.line("}")
	c.line("")
	c.line("/** estate_role is a role in the estate of a deceased person: its id is the party and the role. */")
	c.line("definition estate_role {")
	c.line("\trelation holder: user | user with expiration")
	c.line("}")
	c.line("")
	c.line("/** policy_text is a text of a policy, which never changes: its id is the text's hash. */")
	c.line("definition policy_text {}")
	c.line("")
	c.line("/** policy is what decides about an app, a resource, or all objects of a type. */")
	c.line("definition policy {")
	c.line("\t// The text that decides now. A revision so fixes relations and policy together.")
	c.line("\trelation current: policy_text")
	c.line("}")
}
