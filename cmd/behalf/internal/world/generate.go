package world

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Config says what world to make.
type Config struct {
	Parties int    // how many parties in all, at least MinParties
	Seed    uint64 // another seed makes another world
}

// MinParties is the size of the smallest world.
const MinParties = 20

// The first ids. They are in the ranges of Altinn's.
const (
	firstParty = 50_000_001
	firstUser  = 20_000_001
)

// generator makes one world. Its units and persons are known by their index in
// world.Parties, since that slice grows.
type generator struct {
	r       *rand.Rand
	numbers *numbers
	names   names
	world   World

	units  []int         // main units and estates
	subs   map[int][]int // sub-units by their main unit
	free   []int         // persons who may hold any role
	kept   []int         // persons whose parties are counted
	firms  []int         // accounting firms, the largest first
	taken  map[int]bool  // units that a counted user acts for
	traded map[int]bool  // sole traders' businesses that have their trader
}

// New makes a world.
func New(c Config) (*World, error) {
	if c.Parties < MinParties {
		return nil, fmt.Errorf("a world has at least %d parties, not %d", MinParties, c.Parties)
	}
	g := &generator{
		r:       rand.New(rand.NewPCG(c.Seed, uint64(c.Parties))), //nolint:gosec // a world is to be the same for a seed
		numbers: newNumbers(), names: newNames(),
		subs: make(map[int][]int), taken: make(map[int]bool), traded: make(map[int]bool),
	}
	subUnits, mainUnits := c.Parties*45/100, c.Parties*30/100
	g.addUnits(mainUnits)
	g.addSubUnits(subUnits)
	counts := countsFor(c.Parties)
	g.addPersons(c.Parties-subUnits-mainUnits, len(counts))
	for i, count := range counts {
		if err := g.count(g.kept[i], count); err != nil {
			return nil, err
		}
	}
	for _, unit := range g.units {
		g.offices(unit)
	}
	g.clients()
	g.rarities()
	return &g.world, nil
}

func (g *generator) add(p Party) int {
	p.Line = "party"
	p.ID = firstParty + int64(len(g.world.Parties))
	p.UUID = uuid(g.r)
	g.world.Parties = append(g.world.Parties, p)
	return len(g.world.Parties) - 1
}

// chance reports true in the given percentage of cases.
func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

func (g *generator) party(i int) *Party { return &g.world.Parties[i] }

func (g *generator) unitType(i int) string { return g.world.Parties[i].UnitType }

// unitTypes are the unit types of main units with their share in a thousand.
var unitTypes = []struct {
	name  string
	share int
}{
	{"AS", 600}, {"ENK", 220}, {"FLI", 60}, {"DA", 25}, {"ANS", 25}, {"ESEK", 20},
	{"NUF", 15}, {"KBO", 10}, {"KS", 8}, {"KOMM", 5}, {"ORGL", 8}, {"IKS", 4},
}

func (g *generator) addUnits(n int) {
	for i := range n {
		g.units = append(g.units, g.addUnit(g.drawUnitType(i)))
	}
	firms := max(2, n/100)
	for _, unit := range g.units {
		if g.unitType(unit) == "AS" && len(g.firms) < firms {
			g.firms = append(g.firms, unit)
			g.party(unit).Name = pick(g.r, g.names.place) + " Regnskap AS"
			g.party(unit).DeletedOn = ""
		}
	}
}

func (g *generator) addUnit(unitType string) int {
	p := Party{Type: organisation, UnitType: unitType, OrgNumber: g.numbers.organisation(), Name: g.names.unit(g.r, unitType)}
	if unitType == "KBO" {
		p.Type = estate
	}
	if g.chance(3) {
		p.DeletedOn = day(g.r, 2012, 2019).Format(time.DateOnly)
	}
	return g.add(p)
}

// drawUnitType draws by share. The first units are one of each type, in every world that
// has room for them, so that no rule goes untried.
func (g *generator) drawUnitType(i int) string {
	const first = 6 // enough AS for two firms and some clients
	if i < first {
		return "AS"
	}
	if i-first < len(unitTypes) {
		return unitTypes[i-first].name
	}
	at := g.r.IntN(1000)
	for _, t := range unitTypes {
		if at -= t.share; at < 0 {
			return t.name
		}
	}
	return "AS"
}

// addSubUnits gives four of five main units one sub-unit each, and the rest by a power
// law: most to few.
func (g *generator) addSubUnits(n int) {
	var mains []int
	for i, unit := range g.units {
		if i%5 != 0 {
			mains = append(mains, unit)
		}
	}
	for i := range n {
		main := mains[i%len(mains)]
		if i >= len(mains) {
			u := g.r.Float64()
			main = mains[int(u*u*u*u*float64(len(mains)))]
		}
		g.addSubUnit(main)
	}
}

func (g *generator) addSubUnit(main int) {
	m := *g.party(main)
	p := Party{
		Type: subUnit, UnitType: "BEDR", OrgNumber: g.numbers.organisation(), Name: m.Name + " avd " + pick(g.r, g.names.place),
		MainUnit: "org:" + m.OrgNumber, main: m.ID, DeletedOn: m.DeletedOn,
	}
	if m.UnitType == "FLI" || m.UnitType == "ESEK" {
		p.UnitType = "AAFY"
	}
	if p.DeletedOn == "" && g.chance(2) {
		p.DeletedOn = day(g.r, 2012, 2019).Format(time.DateOnly)
	}
	g.subs[main] = append(g.subs[main], g.add(p))
}

// addPersons adds n persons. The first ones are kept for counting; of the others one in
// ten cannot log in, and one in fifty is self-identified and holds nothing.
func (g *generator) addPersons(n, kept int) {
	for i := range n {
		born := day(g.r, 1940, 2005)
		p := Party{
			Type: person, Name: g.names.person(g.r), NationalID: g.numbers.national(born), BirthDate: born.Format(time.DateOnly),
			UserID: firstUser + int64(i), Login: true,
		}
		switch {
		case i < kept:
			g.kept = append(g.kept, g.add(p))
			continue
		case i%50 == 49:
			p.Type, p.NationalID, p.BirthDate = selfIdentified, "", ""
			g.add(p)
			continue
		case g.chance(10):
			p.Login = false
		}
		g.free = append(g.free, g.add(p))
	}
}

func (g *generator) assign(from int, role string, to int) {
	g.assignUntil(from, role, to, time.Time{})
}

func (g *generator) assignUntil(from int, role string, to int, expires time.Time) {
	g.world.Assignments = append(g.world.Assignments, Assignment{
		From: g.party(from).ID, Role: role, To: g.party(to).ID, Expires: expires,
	})
}
