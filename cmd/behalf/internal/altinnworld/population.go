package altinnworld

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// struckOff is the day that stands for an unknown one on which a unit was deleted.
const struckOff = "1900-01-01"

// somebody is a party as the files together describe it.
type somebody struct {
	place     registerfile.Place
	id        int64
	uuid      string
	name      string
	org, nin  string
	unitType  string
	kind      int // partyTypeName, 0 while it is not known
	deleted   bool
	died      string
	user      int64
	login     bool
	main      *somebody
	fromUsers bool      // known as a user only
	is        *somebody // who it was found to be; then this one is nobody
}

// who returns who somebody was found to be.
func (s *somebody) who() *somebody {
	for s.is != nil {
		s = s.is
	}
	return s
}

// population is everybody that the files name. What a file says first stands: later ones
// add to it and never contradict it.
type population struct {
	all    []*somebody
	byID   map[int64]*somebody
	byUUID map[string]*somebody
	byOrg  map[string]*somebody
	byNIN  map[string]*somebody
	byUser map[int64]*somebody
}

func newPopulation() *population {
	return &population{
		byID: map[int64]*somebody{}, byUUID: map[string]*somebody{}, byOrg: map[string]*somebody{},
		byNIN: map[string]*somebody{}, byUser: map[int64]*somebody{},
	}
}

// add takes a party of a file, and the units nested in it.
func (p *population) add(at registerfile.Place, f *fileParty) *somebody {
	org := cmp.Or(f.OrgNumber, f.OrgNumber2)
	nin := cmp.Or(f.SSN, f.PersonID)
	s := p.find(int64(f.PartyID), org, nin, f.PartyUUID)
	if s == nil {
		s = p.new(at)
	}
	p.identify(s, int64(f.PartyID), f.PartyUUID, org, nin)
	s.name = cmp.Or(s.name, strings.TrimSpace(f.Name))
	s.unitType = cmp.Or(s.unitType, f.UnitType)
	s.kind = cmp.Or(s.kind, f.kind(org, nin))
	s.deleted = s.deleted || f.IsDeleted
	if day, _, _ := strings.Cut(f.Person.DateOfDeath, "T"); s.died == "" {
		s.died = day
	}
	for i := range f.below() {
		unit := p.add(at, &f.below()[i])
		unit.under(s)
	}
	return s
}

// kind is the party's kind by what it has: the files call some persons organisations.
func (f *fileParty) kind(org, nin string) int {
	switch {
	case len(nin) == 11 && org == "":
		return 1
	case f.PartyTypeName != 0:
		return int(f.PartyTypeName)
	case strings.EqualFold(f.Type, "Person"):
		return 1
	case strings.EqualFold(f.Type, "Organization"):
		return 2
	case strings.EqualFold(f.Type, "SelfIdentified"):
		return 3
	}
	return 0
}

// under puts a unit below its main unit. The first main unit stands, and a party is not
// below itself.
func (s *somebody) under(main *somebody) {
	for up := main; up != nil; up = up.main {
		if up == s {
			return
		}
	}
	if s.main == nil {
		s.main = main
	}
}

func (p *population) new(at registerfile.Place) *somebody {
	s := &somebody{place: at}
	p.all = append(p.all, s)
	return s
}

// find returns whom any of the identifiers names, in the order of their weight.
func (p *population) find(id int64, org, nin, uuid string) *somebody {
	for _, s := range []*somebody{p.byID[id], p.byOrg[org], p.byNIN[nin], p.byUUID[strings.ToLower(uuid)]} {
		if s != nil {
			return s
		}
	}
	return nil
}

// identify gives a party the identifiers that it lacks and nobody else has.
func (p *population) identify(s *somebody, id int64, uuid, org, nin string) {
	uuid = strings.ToLower(uuid)
	if s.id == 0 && id > 0 && p.byID[id] == nil {
		s.id, p.byID[id] = id, s
	}
	if s.uuid == "" && uuid != "" && p.byUUID[uuid] == nil {
		s.uuid, p.byUUID[uuid] = uuid, s
	}
	if s.org == "" && org != "" && p.byOrg[org] == nil {
		s.org, p.byOrg[org] = org, s
	}
	if s.nin == "" && nin != "" && p.byNIN[nin] == nil {
		s.nin, p.byNIN[nin] = nin, s
	}
}

// party returns the party with an id, a new one when no file describes it.
func (p *population) party(at registerfile.Place, id int64) *somebody {
	if s := p.byID[id]; s != nil {
		return s
	}
	s := p.new(at)
	p.identify(s, id, "", "", "")
	return s
}

// ofUUID is party for a UUID.
func (p *population) ofUUID(at registerfile.Place, uuid string) *somebody {
	if s := p.byUUID[strings.ToLower(uuid)]; s != nil {
		return s
	}
	s := p.new(at)
	p.identify(s, 0, uuid, "", "")
	return s
}

// user returns the person who holds roles under a user id, a new one when no file says
// who that is.
func (p *population) user(at registerfile.Place, id int64) *somebody {
	if s := p.byUser[id]; s != nil {
		return s
	}
	s := p.new(at)
	s.kind, s.user, s.fromUsers = 1, id, true
	p.byUser[id] = s
	return s
}

// isUser says that a party's person goes by a user id. The first that is said of either stands.
func (p *population) isUser(s *somebody, id int64) {
	if s.user != 0 || id == 0 {
		return
	}
	if had := p.byUser[id]; had != nil {
		if !had.fromUsers || had == s {
			return
		}
		had.is = s
	}
	s.user, p.byUser[id] = id, s
	s.kind = cmp.Or(s.kind, 1)
}

// profile takes a profile.
func (p *population) profile(at registerfile.Place, u *fileUser) {
	id := int64(cmp.Or(u.UserID, u.LookupUserID))
	if u.Party == nil {
		u.Party = &fileParty{PartyID: u.PartyID, PartyUUID: u.PartyUUID, SSN: u.SSN}
	}
	if u.UserType == enterpriseUser {
		p.add(at, u.Party)
		s := p.user(at, id)
		s.name = cmp.Or(s.name, u.UserName)
		return
	}
	// A national id says who somebody is; some profiles give him another's party beside it.
	if s := p.byNIN[cmp.Or(u.Party.SSN, u.SSN)]; s != nil {
		p.isUser(s, id)
		return
	}
	p.isUser(p.add(at, u.Party), id)
}

const enterpriseUser = 3

// numbers returns the names that are numbers, in their order; others are notes.
func numbers[V any](of map[string]V) []string {
	var names []string
	for name := range of {
		if _, err := strconv.ParseInt(name, 10, 32); err == nil {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	return names
}
