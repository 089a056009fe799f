package brreg

import (
	"encoding/json"
	"fmt"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// organisation is an object of roller.
type organisation struct {
	Organisasjonsnummer string `json:"organisasjonsnummer"`
	Rollegrupper        []struct {
		Roller []role `json:"roller"`
	} `json:"rollegrupper"`
}

type role struct {
	Type         code    `json:"type"`
	Person       *person `json:"person"`
	Enhet        *holder `json:"enhet"`
	Fratraadt    bool    `json:"fratraadt"`
	Avregistrert bool    `json:"avregistrert"`
}

type person struct {
	Fodselsdato string `json:"fodselsdato"`
	Navn        struct {
		Fornavn    string `json:"fornavn"`
		Mellomnavn string `json:"mellomnavn"`
		Etternavn  string `json:"etternavn"`
	} `json:"navn"`
	ErDoed bool `json:"erDoed"`
}

type holder struct {
	Organisasjonsnummer string `json:"organisasjonsnummer"`
	ErSlettet           bool   `json:"erSlettet"`
}

// roles reads the roles of one organisation.
func (r *Reader) roles(place registerfile.Place, text []byte) error {
	var o organisation
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	if o.Organisasjonsnummer == "" {
		r.add(place.Unreadable("organisasjonsnummer", "is missing"))
		return nil
	}
	place.Reference = "org:" + o.Organisasjonsnummer
	if !r.config.MergePersons {
		clear(r.persons) // a person is one per organisation
	}
	for i, group := range o.Rollegrupper {
		for j, held := range group.Roller {
			r.role(place, fmt.Sprintf("rollegrupper[%d].roller[%d].", i, j), held)
		}
	}
	return nil
}

// role reads one role. Those that nobody holds any more are counted and left out.
func (r *Reader) role(place registerfile.Place, field string, held role) {
	switch {
	case held.Type.Kode == "":
		r.add(place.Unreadable(field+"type.kode", "is missing"))
	case held.Fratraadt || held.Avregistrert:
		r.left.Resigned++
	case held.Enhet != nil && held.Enhet.ErSlettet:
		r.left.StruckOff++
	case held.Enhet != nil && held.Enhet.Organisasjonsnummer == "":
		r.add(place.Unreadable(field+"enhet.organisasjonsnummer", "is missing"))
	case held.Enhet != nil:
		r.assign(place, held.Type.Kode, "org:"+held.Enhet.Organisasjonsnummer)
	case held.Person == nil:
		r.add(place.Unreadable(field+"person", "is missing, and so is enhet; one of them holds the role"))
	case held.Person.ErDoed:
		r.left.Dead++
	default:
		r.personRole(place, field, held)
	}
}

func (r *Reader) personRole(place registerfile.Place, field string, held role) {
	name, born := held.Person.name(), day(held.Person.Fodselsdato)
	switch "" {
	case name:
		r.add(place.Unreadable(field+"person.navn", "is missing"))
		return
	case born:
		r.add(place.Unreadable(field+"person.fodselsdato", "is missing; it tells persons of the same name apart"))
		return
	}
	key := personKey(name, born)
	if !r.config.MergePersons {
		key = strings.TrimPrefix(place.Reference, "org:") + "/" + key
	}
	if _, known := r.persons[key]; !known {
		entry := place.Checked(place.Party(&behalfv1.PartyRecord{
			Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: name, BirthDate: born, SourceKey: key,
		}))
		r.add(entry)
		if entry.GetUnreadable() != nil {
			return
		}
		r.persons[key] = struct{}{}
	}
	r.assign(place, held.Type.Kode, "key:"+key)
}

func (r *Reader) assign(place registerfile.Place, role, to string) {
	r.add(place.Checked(place.Assignment(&behalfv1.AssignmentRecord{From: place.Reference, Role: role, To: to})))
}

func (p *person) name() string {
	return tidy(p.Navn.Fornavn + " " + p.Navn.Mellomnavn + " " + p.Navn.Etternavn)
}

// personKey makes the key of a person. Case does not tell names apart, and a slash in a
// name must not pass for the one between name and birth date.
func personKey(name, born string) string {
	name = strings.NewReplacer("%", "%25", "/", "%2F").Replace(strings.ToUpper(name))
	return name + "/" + born
}
