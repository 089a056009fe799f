package world

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Config says what world to make: how many parties of each kind, MinParties in all at least.
type Config struct {
	Organisations int // main units and estates
	SubUnits      int
	Persons       int
	Assignments   int    // how many at least; 0 for as many as the organisations need
	Seed          uint64 // another seed makes another world
}

// MinParties is the size of the smallest world.
const MinParties = 20

// mostDeputies bounds how many assignments an organisation has on average.
const mostDeputies = 20

// Shares returns the usual world of so many parties: 30 % organisations, 45 % sub-units and the
// rest persons.
func Shares(parties int, seed uint64) Config {
	subUnits, organisations := parties*45/100, parties*30/100
	return Config{Organisations: organisations, SubUnits: subUnits, Persons: parties - subUnits - organisations, Seed: seed}
}

// Parties is how many parties there are in all.
func (c Config) Parties() int { return c.Organisations + c.SubUnits + c.Persons }

// Validate says what keeps the world from being made.
func (c Config) Validate() error {
	counts := countsFor(c.Organisations + c.SubUnits)
	switch {
	case c.Parties() < MinParties:
		return fmt.Errorf("a world has at least %d parties, not %d", MinParties, c.Parties())
	case c.Organisations < firstAS || c.SubUnits < 0:
		return fmt.Errorf("a world has at least %d organisations, not %d", firstAS, c.Organisations)
	case c.Persons <= len(counts):
		return fmt.Errorf("a world of this size has more than %d persons, not %d", len(counts), c.Persons)
	case c.Assignments > c.Organisations*min(c.Persons/2, mostDeputies):
		return fmt.Errorf("so many organisations and persons have no %d assignments", c.Assignments)
	}
	return nil
}

// The first ids. They are in the ranges of Altinn's.
const (
	firstParty = 50_000_001
	firstUser  = 20_000_001
)

// generator makes one world. Its units and persons are known by their index in
// world.Parties, since that slice grows. What only the register shows of a party is written
// when the party is made, and forgotten.
type generator struct {
	r       *rand.Rand
	numbers *numbers
	names   names
	world   World
	out     *lines

	units  []int         // main units and estates, which come first among the parties
	shown  []shown       // of the units
	subs   map[int][]int // sub-units by their main unit
	free   []int         // persons who may hold any role
	kept   []int         // persons whose parties are counted
	firms  []int         // accounting firms, the largest first
	firm   map[int]bool
	taken  map[int]bool // units that a counted user acts for
	traded map[int]bool // sole traders' businesses that have their trader
}

// shown is what sub-units show of their main unit.
type shown struct{ orgNumber, name string }

// New makes a world, and writes its register in the native format while it does.
func New(c Config, register io.Writer) (*World, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &generator{
		r:       rand.New(rand.NewPCG(c.Seed, uint64(c.Parties()))), //nolint:gosec // a world is to be the same for a seed
		numbers: newNumbers(), names: newNames(), out: newLines(register),
		subs: make(map[int][]int), firm: make(map[int]bool), taken: make(map[int]bool), traded: make(map[int]bool),
	}
	g.world.Parties = make([]Party, 0, c.Parties())
	g.out.write(header{"header", "behalf/v1", Source})
	g.addUnits(c.Organisations)
	g.addSubUnits(c.SubUnits)
	counts := countsFor(c.Organisations + c.SubUnits)
	g.addPersons(c.Persons, len(counts))
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
	g.deputies(c.Assignments)
	for _, a := range g.world.Assignments {
		g.out.write(a.line())
	}
	return &g.world, g.out.err
}

// add writes a party and returns its index.
func (g *generator) add(p partyLine, main int64) int {
	p.Line = "party"
	p.ID = firstParty + int64(len(g.world.Parties))
	p.UUID = uuid(g.r)
	g.out.write(p)
	g.world.Parties = append(g.world.Parties, Party{
		ID: p.ID, UserID: p.UserID, Type: p.Type, UnitType: p.UnitType, DeletedOn: p.DeletedOn, Login: p.Login, main: main,
	})
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
	firms := max(2, n/100)
	for i := range n {
		unitType := g.drawUnitType(i)
		unit := g.addUnit(unitType, unitType == "AS" && len(g.firms) < firms)
		g.units = append(g.units, unit)
	}
}

func (g *generator) addUnit(unitType string, firm bool) int {
	p := partyLine{Type: organisation, UnitType: unitType, OrgNumber: g.numbers.organisation(), Name: g.names.unit(g.r, unitType)}
	if unitType == "KBO" {
		p.Type = estate
	}
	if g.chance(3) {
		p.DeletedOn = day(g.r, 2012, 2019).Format(time.DateOnly)
	}
	if firm {
		p.Name = pick(g.r, g.names.place) + " Regnskap AS"
		p.DeletedOn = ""
	}
	unit := g.add(p, 0)
	g.shown = append(g.shown, shown{p.OrgNumber, p.Name})
	if firm {
		g.firms = append(g.firms, unit)
		g.firm[unit] = true
	}
	return unit
}

// firstAS is how many of the first units are of type AS: enough for two firms and some clients.
const firstAS = 6

// drawUnitType draws by share. The first units after some AS are one of each type, in every
// world that has room for them, so that no rule goes untried.
func (g *generator) drawUnitType(i int) string {
	if i < firstAS {
		return "AS"
	}
	if i-firstAS < len(unitTypes) {
		return unitTypes[i-firstAS].name
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
	p := partyLine{
		Type: subUnit, UnitType: "BEDR", OrgNumber: g.numbers.organisation(), Name: g.shown[main].name + " avd " + pick(g.r, g.names.place),
		MainUnit: "org:" + g.shown[main].orgNumber, DeletedOn: m.DeletedOn,
	}
	if m.UnitType == "FLI" || m.UnitType == "ESEK" {
		p.UnitType = "AAFY"
	}
	if p.DeletedOn == "" && g.chance(2) {
		p.DeletedOn = day(g.r, 2012, 2019).Format(time.DateOnly)
	}
	g.subs[main] = append(g.subs[main], g.add(p, m.ID))
}

// addPersons adds n persons. The first ones are kept for counting; of the others one in
// ten cannot log in, and one in fifty is self-identified and holds nothing.
func (g *generator) addPersons(n, kept int) {
	for i := range n {
		born := day(g.r, 1940, 2005)
		p := partyLine{
			Type: person, Name: g.names.person(g.r), NationalID: g.numbers.national(born), BirthDate: born.Format(time.DateOnly),
			UserID: firstUser + int64(i), Login: true,
		}
		switch {
		case i < kept:
			g.kept = append(g.kept, g.add(p, 0))
			continue
		case i%50 == 49:
			p.Type, p.NationalID, p.BirthDate = selfIdentified, "", ""
			g.add(p, 0)
			continue
		case g.chance(10):
			p.Login = false
		}
		g.free = append(g.free, g.add(p, 0))
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
