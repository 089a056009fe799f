package relations

import "slices"

// administrators are the roles and packages of those who may pass on, and take back, what
// a party has. Who has only clientAdministrators may do so for the party's clients alone.
var (
	administrators       = []string{"has_admai", "has_hadm", "has_pkg_tilgangsstyrer", "has_pkg_hovedadministrator", "has_pkg_konkursbo_tilgangsstyrer"}
	clientAdministrators = []string{"has_kladm", "has_pkg_klientadministrator"}
)

// clients declares who administers a party, and what its providers do for it: accountants,
// auditors and business managers, whose own agents act for the client.
//
// That an agent has a package of a client takes three links, and the schema asks for each
// of them: the grant, which is client_delegation#pkg_…; that the agent works for the
// provider, which is client_delegation#agent; and that the client has a provider for whom
// he works, which is served_… of the client. The last cannot say that it is this provider,
// as no expression of a schema compares two objects: who writes relationships therefore
// removes the grant with the role, and gives it the role's expiry.
func (c *compiler) clients() {
	c.line("")
	c.line("\t// Who may pass on what this party has, and take it back; and who may for its clients.")
	c.permission("administer", administrators)
	c.permission("administer_clients", append([]string{"administer"}, clientAdministrators...))
	c.line("")
	c.line("\t// Programs that act for clients of this party, as persons do in the role agent.")
	c.relation("agent_system", "systemuser")
	for _, r := range c.clientRoles() {
		c.line("\t// Those who act for clients of the organisations in the role here.")
		c.permission("served_"+r, []string{r + "_org->agent", r + "_org->agent_system"})
	}
	c.line("\t// What this party's providers have passed on to their agents, one object a provider.")
	c.relation("client_delegation", "client_delegation | client_delegation with expiration")
}

// clientRoles returns the relations of the roles in which a provider serves clients.
func (c *compiler) clientRoles() []string {
	var found []string
	for _, r := range c.roles {
		for _, p := range c.packages {
			if slices.Contains(p.ClientRoles(), r.Relation) {
				found = append(found, r.Relation)
				break
			}
		}
	}
	return found
}

// clientDelegation declares what a provider passes on to its agents for one client.
func (c *compiler) clientDelegation() {
	c.line("/** client_delegation is what a provider has passed on to its agents for one client. */")
	c.line("definition client_delegation {")
	c.line("\trelation client: %s", organisations)
	c.line("\trelation provider: %s", organisations)
	c.line("\tpermission agent = provider->agent + provider->agent_system")
	var all []string
	for _, p := range c.packages {
		given := p.ClientRoles()
		if len(given) == 0 {
			continue
		}
		served := make([]string, len(given))
		for i, r := range given {
			served[i] = "client->served_" + r
		}
		c.line("")
		c.line("\trelation pkg_%s: %s", p.Relation, personsOrSystems)
		c.union("use_pkg_"+p.Relation, served, "pkg_"+p.Relation+" & agent & ")
		all = append(all, "use_pkg_"+p.Relation)
	}
	c.line("")
	c.union("use", all, "")
	c.line("}")
	c.line("")
}
