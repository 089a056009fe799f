package world

import "slices"

// clients gives half of the units an accounting firm, the first firms most of them: a
// firm's share falls with its place, as one over the place.
func (g *generator) clients() {
	total := 0.0
	for i := range g.firms {
		total += 1 / float64(i+1)
	}
	for _, unit := range g.units {
		if g.firm[unit] || !g.chance(55) {
			continue
		}
		at, firm := g.r.Float64()*total, 0
		for ; firm < len(g.firms)-1; firm++ {
			if at -= 1 / float64(firm+1); at < 0 {
				break
			}
		}
		g.assign(unit, "REGN", g.firms[firm])
	}
	// A firm has its own accountant, the next firm: who acts for that one acts for this
	// one, and not for its clients.
	for i := 0; i+1 < len(g.firms); i += 2 {
		g.assign(g.firms[i], "REGN", g.firms[i+1])
	}
}

// rarities adds what occurs seldom and has its own rule.
func (g *generator) rarities() {
	holders := g.holders()
	bodies := g.ofType("KOMM")
	for _, unit := range g.units {
		switch g.unitType(unit) {
		case "KS":
			g.assign(unit, "KOMP", pick(g.r, holders)) // a key role that makes no key holder
		case "IKS":
			g.assign(unit, "DTPR", pick(g.r, bodies)) // participates, and gives nothing on
		case "ORGL":
			g.assign(unit, "ORGL", pick(g.r, bodies)) // a level: nothing flows through it
		case "ESEK":
			g.assign(unit, "FFØR", pick(g.r, holders))
		case "DA":
			g.assign(unit, "DTPR", pick(g.r, holders))
		}
		if g.chance(5) {
			g.appointUntil(unit, pick(g.r, []string{"DAGL", "LEDE", "MEDL"}), g.day()) // has ended
		}
		if g.chance(8) {
			g.assign(unit, "REVI", pick(g.r, holders))
		}
		for _, sub := range g.subs[unit] {
			g.subUnitRoles(sub, holders)
		}
	}
	g.world.Assignments = withoutTwins(g.world.Assignments)
}

// subUnitRoles lets some sub-units have somebody of their own, who has nothing in the
// main unit.
func (g *generator) subUnitRoles(sub int, holders []int) {
	switch {
	case g.chance(4):
		g.appoint(sub, "KONT")
	case g.chance(2):
		g.assign(sub, "REGN", pick(g.r, holders))
	}
}

// holders are organisations that may hold roles anywhere: none that a counted user acts for.
func (g *generator) holders() []int {
	free := slices.Clone(g.firms)
	for _, unit := range g.ofType("AS") {
		if !g.taken[unit] && !g.firm[unit] && len(free) < 2+len(g.units)/10 {
			free = append(free, unit)
		}
	}
	return free
}

func (g *generator) ofType(unitType string) []int {
	var all []int
	for _, unit := range g.units {
		if g.unitType(unit) == unitType {
			all = append(all, unit)
		}
	}
	return all
}

// withoutTwins keeps the first of several assignments of one role from one to another,
// and none to oneself.
func withoutTwins(all []Assignment) []Assignment {
	type key struct {
		from, to int64
		role     string
	}
	seen := make(map[key]bool, len(all))
	return slices.DeleteFunc(all, func(a Assignment) bool {
		k := key{a.From, a.To, a.Role}
		twin := seen[k] || a.From == a.To
		seen[k] = true
		return twin
	})
}
