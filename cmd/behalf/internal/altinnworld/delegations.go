package altinnworld

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// readDelegations reads delegations.json with the policies that it names.
func (r *reader) readDelegations() {
	const name = "delegations.json"
	var file struct {
		Delegations []fileDelegation `json:"delegations"`
	}
	r.files.read(name, &file)
	for i := range file.Delegations {
		d, at := &file.Delegations[i], r.at(name, i+1)
		switch {
		case d.revoked():
		case d.ResourceID != "":
			r.takeListedDelegation(at, d)
		default:
			r.takeDelegation(at, d)
		}
	}
}

func (r *reader) takeListedDelegation(at registerfile.Place, d *fileDelegation) {
	l := listedRight{place: at, user: int64(d.ToUserID), resource: d.ResourceID, instance: d.InstanceID}
	switch {
	case d.FromPartyID <= 0:
		r.refuse(at, "fromPartyId", "is missing")
		return
	case d.ToPartyID > 0:
		l.to = r.people.party(at, int64(d.ToPartyID))
	case d.ToUserID <= 0:
		r.refuse(at, "toUserId", "is missing, and toPartyId with it")
		return
	}
	l.party = r.people.party(at, int64(d.FromPartyID))
	r.listed = append(r.listed, l)
}

// receiver is who a delegation, or a rule of its policy, is for.
type receiver struct {
	party  *somebody
	system string
}

// receiver finds whom an attribute names.
func (r *reader) receiver(at registerfile.Place, attribute, value string) (receiver, error) {
	switch attribute {
	case "urn:altinn:partyid", "urn:altinn:userid":
		id, ok := numberIn(value, "")
		if !ok {
			return receiver{}, fmt.Errorf("%s is %q; write a number", attribute, value)
		}
		if attribute == "urn:altinn:partyid" {
			return receiver{party: r.people.party(at, id)}, nil
		}
		return receiver{party: r.people.user(at, id).who()}, nil
	case "urn:altinn:systemuser:uuid":
		return receiver{system: strings.ToLower(value)}, nil
	case "urn:altinn:person:uuid", "urn:altinn:organization:uuid", "urn:altinn:party:uuid":
		return receiver{party: r.people.ofUUID(at, value).who()}, nil
	case "urn:altinn:organization:identifier-no":
		if s := r.people.byOrg[value]; s != nil {
			return receiver{party: s}, nil
		}
		return receiver{party: r.people.add(at, &fileParty{PartyTypeName: 2, OrgNumber: value})}, nil
	case "urn:altinn:person:identifier-no":
		if s := r.people.byNIN[value]; s != nil {
			return receiver{party: s}, nil
		}
		return receiver{party: r.people.add(at, &fileParty{PartyTypeName: 1, SSN: value})}, nil
	}
	return receiver{}, fmt.Errorf("%s names neither a party, a user nor a system user", attribute)
}

func (r *reader) one(at registerfile.Place, of map[string]string) (receiver, error) {
	for attribute, value := range of {
		return r.receiver(at, attribute, value)
	}
	return receiver{}, fmt.Errorf("is missing")
}

// takeDelegation takes a delegation with a policy: the rights are those of its rules.
func (r *reader) takeDelegation(at registerfile.Place, d *fileDelegation) {
	from, err := r.one(at, d.OfferedBy)
	if err != nil || from.party == nil {
		r.refuse(at, "offeredBy", "%v", cmp.Or(err, fmt.Errorf("is a system user, which gives nothing")))
		return
	}
	to, err := r.one(at, d.CoveredBy)
	if err != nil {
		r.refuse(at, "coveredBy", "%v", err)
		return
	}
	r.takeMatches(at, d, from.party, to)
	text := r.text(d.PolicyBlob)
	if text == nil {
		r.note("delegations.json", "delegation %d names the policy %q, which is not there, and was left out", at.Line, d.PolicyBlob)
		return
	}
	rules, err := rulesOf(text)
	if err != nil {
		r.refuse(registerfile.Place{File: r.name(d.PolicyBlob), Line: 1}, "", "is no delegation policy: %v", err)
		return
	}
	for _, rule := range rules {
		l := listedRight{
			place: at, party: from.party, to: to.party, resource: rule.resource, task: rule.task, instance: cmp.Or(rule.instance, d.InstanceID),
			action: rule.action,
		}
		if to.party == nil {
			l.system = r.system(at, to.system, from.party)
		}
		for_, err := r.receiver(at, rule.subjectAttribute, rule.subject)
		switch {
		case err != nil:
			r.note(d.PolicyBlob, "a rule was left out: its subject %v", err)
		case for_ != to:
			r.note(d.PolicyBlob, "a rule for %s was left out: the delegation is for another", rule.subject)
		case rule.other != "":
			r.note(d.PolicyBlob, "a rule was left out: rights are not given by %s", rule.other)
		case rule.action == "" || !strings.EqualFold(resourceID(rule.resource), resourceID(d.Resource)):
			r.note(d.PolicyBlob, "a rule for %q was left out: the delegation is of %q", rule.resource, d.Resource)
		default:
			r.listed = append(r.listed, l)
		}
	}
}

// takeMatches takes what the pairs under which a delegation is found show besides: a party
// other than the one that gave it is a sub-unit of it, and a user who finds what an
// organisation was given holds a key role there.
func (r *reader) takeMatches(at registerfile.Place, d *fileDelegation, from *somebody, to receiver) {
	for _, m := range d.Matches {
		if p, err := r.one(at, m.Party); err == nil && p.party != nil && p.party.who() != from.who() {
			p.party.under(from)
		}
		id, isUser := numberIn(m.Subject["urn:altinn:userid"], "")
		if isUser && to.party != nil && !to.party.natural() {
			r.holdsKey(at, id, to.party)
		}
	}
}
