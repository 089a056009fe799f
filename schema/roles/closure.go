package roles

// holding is what a tuple's relation says about its subject's roles.
type holding struct {
	role int
	key  bool  // the subject is a person whose key role counts
	all  []int // the role, what it implies, and what holding a key role brings
}

// Held returns the role that a tuple with the relation gives: dagl for a person, dagl_org
// for an organisation (that is, for those who hold a key role in it), dtpr_nokey for a
// participant whose role is no key role there. key says whether it makes the person who
// holds it a key holder of the party. It is not ok for relations that give no role.
func (c *Catalogue) Held(relation string) (r Role, key, ok bool) {
	h, ok := c.holdings[relation]
	if !ok {
		return Role{}, false, false
	}
	return c.roles[h.role], h.key, true
}

// Closure returns the roles that tuples with these relations give together with all that
// they imply, in the catalogue's order. Relations are taken as the tuples have them: the
// difference between dagl and dagl_org decides whether ECKEYROLE follows. Relations that
// give no role are passed over. What the roles say is the catalogue's: it is not to be changed.
func (c *Catalogue) Closure(relations []string) []*Role {
	has := make([]bool, len(c.roles))
	n := 0
	for _, relation := range relations {
		for _, i := range c.holdings[relation].all {
			if !has[i] {
				has[i] = true
				n++
			}
		}
	}
	if n == 0 {
		return nil
	}
	closed := make([]*Role, 0, n)
	for i, ok := range has {
		if ok {
			closed = append(closed, &c.roles[i])
		}
	}
	return closed
}

// indexHoldings works out, once, what every relation of a role gives. Implications have
// no cycle when it is called.
func (c *Catalogue) indexHoldings() {
	c.holdings = map[string]holding{}
	var forKeyHolders []int
	for i, r := range c.roles {
		if r.KeyHolders {
			forKeyHolders = append(forKeyHolders, i)
		}
	}
	for i, r := range c.roles {
		closed := c.implied(i, nil)
		if relation := r.PersonRelation(""); relation != "" {
			h := holding{role: i, key: r.KeyRole, all: closed}
			if r.KeyRole {
				h.all = append(append([]int(nil), closed...), forKeyHolders...)
			}
			c.holdings[relation] = h
		}
		if relation := r.OrganisationRelation(""); relation != "" {
			c.holdings[relation] = holding{role: i, all: closed}
		}
		// An organisation in an excepted role (dtpr_nokey_org) gives nobody anything.
		for _, unitType := range r.NoKeyIn {
			c.holdings[r.PersonRelation(unitType)] = holding{role: i, all: closed}
		}
	}
}

// implied appends role i and all that it implies, in any order, each perhaps twice.
func (c *Catalogue) implied(i int, to []int) []int {
	to = append(to, i)
	for _, relation := range c.roles[i].Implies {
		to = c.implied(c.roleByRelation[relation], to)
	}
	return to
}
