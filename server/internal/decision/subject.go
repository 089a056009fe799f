package decision

import (
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// readSubject finds out who acts and refuses what names nobody, or several (fifth step).
func (q *question) readSubject() error {
	c := q.category(xacml.SubjectCategory)
	if c == nil || len(c.Attributes) == 0 {
		return wrong("the request has no subject: there is no attribute of category %s", xacml.SubjectCategory)
	}
	if err := q.readSystemUser(c); err != nil {
		return err
	}
	if err := q.readUser(c); err != nil {
		return err
	}
	if err := q.readParty(c); err != nil {
		return err
	}
	q.subject.OrgCode = single0(c, idOrg)
	if q.subject.User == 0 || q.person.ID != 0 {
		return nil
	}
	if p, ok := q.call.service.parties.ByUser(q.subject.User); ok {
		q.person = p
		q.subject.Party, q.subject.PartyUUID = p.ID, p.UUID
	}
	return nil
}

// readSystemUser takes a system user, who must act alone: what he may do must not mix with
// what others may.
func (q *question) readSystemUser(c *xacml.Attributes) error {
	text, err := single(c, idSystemUser)
	if err != nil || text == "" {
		return err
	}
	if !uuidText.MatchString(text) {
		return wrong("%s must be a UUID, not %q", idSystemUser, clip(text))
	}
	if slices.ContainsFunc(c.Attributes, func(a xacml.Attribute) bool { return a.ID != idSystemUser && !claimsNothing(a.ID) }) {
		return wrong("a system user must be the only attribute of the subject")
	}
	q.subject.SystemUser = strings.ToLower(text)
	return nil
}

// claimsNothing says whether an attribute is one of AuthZEN's, which nobody gets a right by
// that a policy does not give for it.
func claimsNothing(id string) bool { return id == idSubject || strings.HasPrefix(id, ownPrefix) }

// readUser takes a user by his number or, where that may be, his national identity number.
func (q *question) readUser(c *xacml.Attributes) error {
	user, err := single(c, idUser)
	if err != nil {
		return err
	}
	number, err := nationalNumber(c)
	if err != nil {
		return err
	}
	organisation := single0(c, idOrgNumber) != "" || single0(c, idOldOrgNumber) != ""
	switch external := q.call.request.Door == External; {
	case external && user != "" && number != "":
		return wrong("the subject has a user id and a national identity number: give one of them")
	case external && organisation && (user != "" || number != ""):
		return wrong("the subject is an organisation and a person: a request is about one")
	case user != "":
		id, err := strconv.ParseInt(user, 10, 64)
		if err != nil || id <= 0 {
			return wrong("%s must be a positive number, not %q", idUser, clip(user))
		}
		q.subject.User = party.UserID(id)
	case number != "" && external:
		p, ok := q.call.service.parties.ByNationalID(number)
		if !ok {
			return wrong("no person is known by the subject's national identity number")
		}
		q.takePerson(p)
	case number != "" && len(c.Attributes) == 1:
		return wrong("national identity numbers are taken by POST authorize only; name the person by %s or %s", idUser, idPersonUUID)
	}
	return nil
}

func nationalNumber(c *xacml.Attributes) (string, error) {
	number, err := single(c, idPersonNumber)
	if err != nil || number != "" {
		return number, err
	}
	return single(c, idSSN)
}

// takePerson makes the person the user who acts.
func (q *question) takePerson(p party.Party) {
	q.person = p
	q.subject.Party, q.subject.PartyUUID = p.ID, p.UUID
	if p.UserID != 0 && q.subject.User == 0 {
		q.subject.User = p.UserID
		q.supply(xacml.SubjectCategory, idUser, strconv.FormatInt(int64(p.UserID), 10))
	}
}

// readParty takes a subject that is named as a party: a person is the user, an
// organisation acts itself.
func (q *question) readParty(c *xacml.Attributes) error {
	for _, id := range []string{idPersonUUID, idPartyUUID, idParty, idOrganisationUUID, idOrgNumber, idOldOrgNumber, idOrgNumberClaim} {
		text, err := single(c, id)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		if id == idOldOrgNumber || id == idOrgNumberClaim {
			if single0(c, idOrgNumber) == "" {
				q.supply(xacml.SubjectCategory, idOrgNumber, text)
			}
			q.subject.OrgNumber = text
			continue
		}
		p, err := q.resolve(name{id, text})
		if err != nil {
			return err
		}
		if err := q.takeParty(p); err != nil {
			return err
		}
		if id == idOrgNumber {
			q.subject.OrgNumber = text
		}
		if id == idPartyUUID && q.subject.PartyUUID == "" {
			q.subject.PartyUUID = strings.ToLower(text)
		}
	}
	return nil
}

// takeParty takes one of the parties that name the subject.
func (q *question) takeParty(p party.Party) error {
	switch {
	case p.ID == 0:
		return nil
	case p.Kind == party.Person || p.Kind == party.SelfIdentified:
		switch {
		case q.subject.User != 0 && q.subject.User != p.UserID:
			return wrong("the subject is user %d and also party %d, who is user %d: a request is about one", q.subject.User, p.ID, p.UserID)
		case q.person.ID != 0 && q.person.ID != p.ID:
			return wrong("the subject is party %d and also party %d: a request is about one", q.person.ID, p.ID)
		}
		q.takePerson(p)
		return nil
	case q.actor.ID != 0 && q.actor.ID != p.ID:
		return wrong("the subject is party %d and also party %d: a request is about one", q.actor.ID, p.ID)
	}
	q.actor = p
	if q.subject.User == 0 {
		q.subject.Party, q.subject.PartyUUID = p.ID, p.UUID
		q.subject.OrgNumber = p.OrgNumber
		if q.call.request.Door == External && single0(q.category(xacml.SubjectCategory), idParty) == "" {
			q.supply(xacml.SubjectCategory, idParty, strconv.FormatInt(int64(p.ID), 10))
		}
	}
	return nil
}
