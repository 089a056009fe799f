package decision

import (
	"context"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// enrich fetches what the policy asks about the subject (seventh step), and nothing else.
func (q *question) enrich(ctx context.Context, w *wants) error {
	if w.personUUID && q.person.UUID != "" && single0(q.category(xacml.SubjectCategory), idPersonUUID) == "" {
		q.supply(xacml.SubjectCategory, idPersonUUID, q.person.UUID)
	}
	if err := q.enrichPackages(ctx, w); err != nil {
		return err
	}
	if err := q.enrichConsent(ctx, w); err != nil {
		return err
	}
	if w.estateRoles {
		if err := q.enrichEstateRoles(ctx); err != nil {
			return err
		}
	}
	return q.enrichRoles(ctx, w)
}

// enrichRoles supplies the roles that the user has for the resource's party.
func (q *question) enrichRoles(ctx context.Context, w *wants) error {
	if !w.roles && len(w.rolesByURN) == 0 || q.subject.User == 0 || q.resource.Party == 0 {
		return nil
	}
	held, _, err := q.call.service.roles.Roles(ctx, relation.At{}, q.resource.Party, q.subject.User)
	if err != nil {
		return failed(err, "the roles of the subject could not be read")
	}
	if w.roles {
		q.add(xacml.SubjectCategory, idRole, false, roleValues(held))
	}
	for _, beginning := range w.rolesByURN {
		var texts []string
		for _, r := range held {
			if id, text := splitURN(r.URN); id == beginning {
				texts = append(texts, text)
			}
		}
		q.supply(xacml.SubjectCategory, beginning, texts...)
	}
	return nil
}

// roleValues returns the codes of roles, each also in lower case: policies write them in
// either and compare them to the letter.
func roleValues(held []*roles.Role) []xacml.AttributeValue {
	values := make([]xacml.AttributeValue, 0, 2*len(held))
	for _, r := range held {
		values = append(values, xacml.StringValue(r.Code))
		if r.Lower != r.Code {
			values = append(values, xacml.StringValue(r.Lower))
		}
	}
	return values
}

// enrichPackages supplies those access packages, of all that the policy asks about, which
// the subject has for the resource's party.
func (q *question) enrichPackages(ctx context.Context, w *wants) error {
	if len(w.packages) == 0 || q.resource.Party == 0 {
		return nil
	}
	who := q.actsAs()
	if who == (relation.Subject{}) {
		return nil
	}
	held, err := q.call.service.packages.Packages(ctx, q.resource.Party, who, w.packages)
	if err != nil {
		return failed(err, "the access packages of the subject could not be read")
	}
	texts := make([]string, 0, len(held))
	for _, p := range held {
		texts = append(texts, lastPart(p.URN))
	}
	slices.Sort(texts)
	q.supply(xacml.SubjectCategory, idPackage, texts...)
	return nil
}

func lastPart(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }

// actsAs returns the user or system user who acts, the zero Subject when neither does.
func (q *question) actsAs() relation.Subject {
	switch {
	case q.subject.User != 0:
		return relation.User(int64(q.subject.User))
	case q.subject.SystemUser != "":
		return systemUser(q.subject.SystemUser)
	}
	return relation.Subject{}
}

func systemUser(uuid string) relation.Subject {
	return relation.Subject{Object: relation.Object{Type: relation.TypeSystemUser, ID: uuid}}
}

// enrichConsent supplies the kind of the subject's party and the access lists it is on.
// Both say who may ask for consent: a question that names neither a party nor an app.
func (q *question) enrichConsent(ctx context.Context, w *wants) error {
	if !w.partyType && !w.accessLists || q.resource.ID == "" || q.resource.IsApp() || q.resource.Party != 0 || q.instance != "" {
		return nil
	}
	p := q.actor
	if p.ID == 0 {
		p = q.person
	}
	if p.ID == 0 {
		return nil
	}
	if w.partyType {
		q.supply(xacml.SubjectCategory, idPartyType, partyType(p.Kind))
	}
	if !w.accessLists {
		return nil
	}
	lists, err := q.call.service.lists.ListsOf(ctx, p.ID)
	if err != nil {
		return failed(err, "the access lists of the subject could not be read")
	}
	q.supply(xacml.SubjectCategory, idAccessList, lists...)
	return nil
}

func partyType(k party.Kind) string {
	switch k {
	case party.Person:
		return "person"
	case party.SelfIdentified:
		return "self-identified"
	case party.Organisation, party.SubUnit, party.BankruptcyEstate:
	}
	return "organization"
}

// enrichEstateRoles supplies the roles that the user has in the estate of the resource's
// party.
func (q *question) enrichEstateRoles(ctx context.Context) error {
	if q.subject.User == 0 || q.resource.Party == 0 {
		return nil
	}
	tuples, _, err := q.call.service.relations.Read(ctx, relation.At{}, relation.Filter{
		ResourceType: relation.TypeEstateRole, Relation: relation.Holder,
		SubjectType: relation.TypeUser, SubjectID: relation.User(int64(q.subject.User)).ID,
	})
	if err != nil {
		return failed(err, "the roles of the subject in estates could not be read")
	}
	var texts []string
	for _, t := range tuples {
		if of, role, ok := readEstateRole(t.Resource); ok && of == q.resource.Party {
			texts = append(texts, role)
		}
	}
	slices.Sort(texts)
	q.supply(xacml.SubjectCategory, idEstateRole, texts...)
	return nil
}
