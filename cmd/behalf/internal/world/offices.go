package world

import (
	"fmt"
	"time"
)

// countsFor returns how many parties the counted users of a world with so many organisations
// and sub-units represent.
func countsFor(units int) []int {
	counts := []int{1}
	for _, c := range []struct{ count, from int }{{100, 150}, {1_000, 1_500}, {10_000, 15_000}, {100_000, 300_000}} {
		if units >= c.from {
			counts = append(counts, c.count)
		}
	}
	return counts
}

// countable are the unit types that a counted user may act for, with his role there. A
// unit that he acts for holds nothing elsewhere, or his count would be another.
var countable = map[string]string{
	"AS": "DAGL", "ENK": "INNH", "FLI": "LEDE", "DA": "DTPR", "ANS": "DTSO", "ESEK": "LEDE", "NUF": "REPR",
}

// count makes a user who represents exactly the given number of parties: his own, units
// with all their sub-units in which he holds a role himself, and clients of a firm whose
// managing director he is.
func (g *generator) count(user, count int) error {
	need, firm := count-1, -1
	for _, unit := range g.territory(&need) {
		g.taken[unit] = true
		role, unitType := countable[g.unitType(unit)], g.unitType(unit)
		switch {
		case firm < 0 && unitType == "AS":
			firm = unit
			g.assign(unit, role, user)
		case firm >= 0 && unitType == "AS" && g.chance(60):
			g.assign(unit, "REGN", firm)
		default:
			g.assign(unit, role, user)
			g.traded[unit] = g.traded[unit] || unitType == "ENK"
		}
	}
	if need > 0 {
		return fmt.Errorf("the world has too few units for a user with %d parties: %d are missing", count, need)
	}
	p := g.party(user)
	g.world.Users = append(g.world.Users, User{UserID: p.UserID, PartyID: p.ID, Count: count})
	return nil
}

// territory picks units that with their sub-units make up the number needed, which it
// counts down.
func (g *generator) territory(need *int) []int {
	var picked []int
	for _, at := range g.r.Perm(len(g.units)) {
		unit := g.units[at]
		size := 1 + len(g.subs[unit])
		if size > *need || g.firm[unit] || g.taken[unit] || countable[g.unitType(unit)] == "" {
			continue
		}
		picked = append(picked, unit)
		*need -= size
	}
	return picked
}

// offices fills the offices of a unit with persons.
func (g *generator) offices(unit int) {
	switch unitType := g.unitType(unit); unitType {
	case "ENK":
		if !g.traded[unit] {
			g.appoint(unit, "INNH")
		}
	case "DA", "ANS":
		g.appoint(unit, countable[unitType])
		g.appoint(unit, countable[unitType])
	case "IKS":
		g.appoint(unit, "DTPR") // which is no key role there
		g.appoint(unit, "DAGL")
	case "KBO":
		g.appoint(unit, "BOBE")
	case "NUF":
		g.appoint(unit, "REPR")
		g.appoint(unit, "KNUF")
	case "KS":
		g.appoint(unit, "DAGL")
	case "ORGL":
		g.appoint(unit, "KONT")
	case "KOMM":
		g.appoint(unit, "LEDE")
		g.appoint(unit, "KOMK")
	default:
		g.board(unit)
	}
}

// board appoints a managing director, a chair and members.
func (g *generator) board(unit int) {
	if g.unitType(unit) == "AS" && g.chance(90) {
		g.appoint(unit, "DAGL")
	}
	g.appoint(unit, "LEDE")
	for range g.r.IntN(4) {
		g.appoint(unit, "MEDL")
	}
	if g.chance(20) {
		g.appointUntil(unit, "PROK", future(g.day()))
	}
}

// appoint gives a role in the unit to some person who has not got it.
func (g *generator) appoint(unit int, role string) { g.appointUntil(unit, role, time.Time{}) }

func (g *generator) appointUntil(unit int, role string, expires time.Time) {
	g.assignUntil(unit, role, pick(g.r, g.free), expires)
}

// deputies appoints deputy board members until there are so many assignments.
func (g *generator) deputies(assignments int) {
	for len(g.world.Assignments) < assignments {
		for range assignments - len(g.world.Assignments) {
			g.appoint(pick(g.r, g.units), "VARA")
		}
		g.world.Assignments = withoutTwins(g.world.Assignments)
	}
}

func (g *generator) day() time.Time { return day(g.r, 2015, 2020) }

// future moves a day to where no test will see it pass.
func future(day time.Time) time.Time { return day.AddDate(60, 0, 0) }
