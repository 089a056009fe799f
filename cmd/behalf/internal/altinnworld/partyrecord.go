package altinnworld

import (
	"cmp"
	"fmt"
	"strconv"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// records returns the entries of all parties.
func (p *population) records() []*behalfv1.ImportEntry {
	var entries []*behalfv1.ImportEntry
	for _, s := range p.all {
		if s.is != nil {
			continue
		}
		entries = append(entries, s.place.Checked(s.place.Party(p.record(s))))
	}
	return entries
}

func (p *population) record(s *somebody) *behalfv1.PartyRecord {
	r := &behalfv1.PartyRecord{
		PartyId: s.id, PartyUuid: s.uuid, Name: s.name, OrgNumber: s.org, NationalId: s.nin, UnitType: s.unitType, SourceKey: s.key(),
	}
	switch s.kind {
	case 1:
		r.Kind = behalfv1.PartyKind_PARTY_KIND_PERSON
	case 3:
		r.Kind = behalfv1.PartyKind_PARTY_KIND_SELF_IDENTIFIED
	case 5:
		r.Kind = behalfv1.PartyKind_PARTY_KIND_BANKRUPTCY_ESTATE
	default:
		r.Kind = behalfv1.PartyKind_PARTY_KIND_ORGANISATION
		if s.main != nil && (s.unitType == "" || s.unitType == "BEDR" || s.unitType == "AAFY") {
			r.Kind, r.MainUnit = behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, s.main.reference()
			r.UnitType = cmp.Or(r.UnitType, "BEDR")
		}
	}
	if s.natural() {
		r.UnitType, r.OrgNumber = "", ""
		r.UserId, r.Login, r.DiedOn = s.user, s.login, s.died
		r.Login = r.Login && (r.NationalId != "" || r.PartyId != 0 && r.UserId != 0)
	} else {
		r.OrgNumber, r.NationalId = cmp.Or(r.OrgNumber, s.inventedNumber()), ""
		if s.deleted {
			r.DeletedOn = struckOff
		}
	}
	if r.Name == "" {
		r.Name = s.inventedName()
	}
	return r
}

// natural reports whether it is somebody who holds roles as a user.
func (s *somebody) natural() bool { return s.kind == 1 || s.kind == 3 }

// key is the source's key for a party that has no identifier of its own.
func (s *somebody) key() string {
	if s.id == 0 && s.uuid == "" && s.org == "" && s.nin == "" {
		return "user-" + strconv.FormatInt(s.user, 10)
	}
	return ""
}

// reference names the party in other entries.
func (s *somebody) reference() string {
	switch {
	case s.id != 0:
		return "party:" + strconv.FormatInt(s.id, 10)
	case s.uuid != "":
		return "uuid:" + s.uuid
	case s.natural() && s.nin != "":
		return "nin:" + s.nin
	case s.org != "":
		return "org:" + s.org
	}
	return "key:" + s.key()
}

// inventedNumber is the organisation number of a unit of which the files give none. It
// begins with 0, as none in the register does.
func (s *somebody) inventedNumber() string {
	if s.id != 0 {
		return fmt.Sprintf("0%08d", s.id%100_000_000)
	}
	n := uint32(2166136261)
	for _, c := range []byte(s.uuid) {
		n = (n ^ uint32(c)) * 16777619
	}
	return fmt.Sprintf("1%08d", n%100_000_000)
}

func (s *somebody) inventedName() string {
	switch {
	case s.id != 0:
		return "Party " + strconv.FormatInt(s.id, 10)
	case s.user != 0:
		return "User " + strconv.FormatInt(s.user, 10)
	case s.nin != "":
		return "Person " + s.nin
	}
	return "Party " + cmp.Or(s.org, s.uuid)
}
