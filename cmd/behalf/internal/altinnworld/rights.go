package altinnworld

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// listedAction is what one may do with a resource that a list shows without saying.
const listedAction = "read"

// listedRight is a resource that a list shows.
type listedRight struct {
	place    registerfile.Place
	party    *somebody
	user     int64
	to       *somebody // in place of the user
	system   *system
	resource string
	task     string
	instance string
	action   string
}

// system is a system user.
type system struct {
	place registerfile.Place
	uuid  string
	owner *somebody
}

// system returns a system user. It belongs to the first that has given it something.
func (r *reader) system(at registerfile.Place, uuid string, owner *somebody) *system {
	uuid = strings.ToLower(uuid)
	s := r.systems[uuid]
	if s == nil {
		s = &system{place: at, uuid: uuid, owner: owner}
		r.systems[uuid] = s
		r.order = append(r.order, uuid)
	}
	return s
}

func (r *reader) closeSystems() {
	for _, uuid := range r.order {
		s := r.systems[uuid]
		r.world.Entries = append(r.world.Entries, s.place.Checked(&behalfv1.ImportEntry{
			File: s.place.File, Line: s.place.Line, Entry: &behalfv1.ImportEntry_SystemUser{SystemUser: &behalfv1.SystemUser{
				Uuid: s.uuid, Owner: s.owner.who().reference(), Name: "System user " + s.uuid,
				Kind: behalfv1.SystemUserKind_SYSTEM_USER_KIND_STANDARD,
			}},
		}))
	}
}

// closeRights turns what is listed into delegations, each once, now that all are known.
func (r *reader) closeRights() {
	told := make(map[string]bool)
	for _, l := range r.listed {
		from := l.party.who()
		record := &behalfv1.DelegationRecord{
			From: from.reference(), Resource: resourceID(l.resource), Task: l.task, Instance: l.instance, Action: cmp.Or(l.action, listedAction),
		}
		switch {
		case l.system != nil:
			record.To = systemUser + l.system.uuid
		case l.to != nil:
			record.To = l.to.who().reference()
		default:
			record.To = r.people.user(l.place, l.user).who().reference()
		}
		r.delegate(told, l.place, record)
	}
	for _, g := range r.given {
		record := &behalfv1.DelegationRecord{From: g.from.who().reference(), Package: g.code}
		if g.to != nil {
			record.To = g.to.who().reference()
		} else {
			record.To = systemUser + g.system
		}
		r.delegate(told, g.place, record)
	}
}

// systemUser begins a reference to a system user.
const systemUser = "systemuser:"

func (r *reader) delegate(told map[string]bool, at registerfile.Place, record *behalfv1.DelegationRecord) {
	key := fmt.Sprintf("%q", []string{record.From, record.To, record.Package, record.Resource, record.Task, record.Instance, record.Action})
	if told[key] {
		return
	}
	told[key] = true
	r.world.Entries = append(r.world.Entries, at.Checked(&behalfv1.ImportEntry{
		File: at.File, Line: at.Line, Entry: &behalfv1.ImportEntry_Delegation{Delegation: record},
	}))
}

// givenPackage is an access package that one has given to another.
type givenPackage struct {
	place  registerfile.Place
	from   *somebody
	to     *somebody // nil when a system user has it
	system string
	code   string
}

// resourceID returns the registry's id of what a file calls <org>/<app>, or the id itself.
func resourceID(text string) string {
	if org, app, ok := strings.Cut(text, "/"); ok {
		return "app_" + org + "_" + app
	}
	return text
}

// takeShown gives those who are shown a party, and have neither role nor right there, the
// role of who has got something.
func (r *reader) takeShown() {
	has := make(map[heldKey]bool)
	for _, a := range r.assignments {
		has[heldKey{from: a.from.who(), to: a.to.who()}] = true
	}
	for _, l := range r.listed {
		if l.to == nil && l.system == nil {
			has[heldKey{from: l.party.who(), to: r.people.user(l.place, l.user).who()}] = true
		}
	}
	for _, l := range r.shown {
		user := r.people.user(l.place, l.user)
		party, holder := l.party.who(), user.who()
		if party == holder || has[heldKey{from: party, to: holder}] || party.main != nil && has[heldKey{from: party.main.who(), to: holder}] {
			continue
		}
		r.hold(l.place, l.party, user, rightholder)
	}
}

// rightholder is the role of who has been given something.
const rightholder = "rettighetshaver"

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

// readPackages reads access-packages.json. A receiver that no file describes is a system
// user.
func (r *reader) readPackages() {
	const name = "access-packages.json"
	var file filePackages
	r.files.read(name, &file)
	for i, g := range file.Grants {
		at := r.at(name, i+1)
		if g.From == "" || g.To == "" {
			r.refuse(at, "from", "and to are required: UUIDs of a party, and of a party or system user")
			continue
		}
		from := r.people.ofUUID(at, g.From)
		given := givenPackage{place: at, from: from}
		to := r.people.byUUID[strings.ToLower(g.To)]
		if to == nil {
			given.system = r.system(at, g.To, from).uuid
			if len(g.Roles) > 0 {
				r.note(name, "grant %d: the roles were left out, as system users have none", i+1)
			}
		} else {
			given.to = to
			for _, role := range g.Roles {
				r.hold(at, from, to, role)
			}
		}
		for _, p := range g.Packages {
			given.code = p
			r.given = append(r.given, given)
		}
	}
}

// rule is one way in which a rule of a delegation policy permits.
type rule struct {
	subjectAttribute, subject string
	resource, task, instance  string
	action                    string
	other                     string // an attribute of the resource that a right cannot name
}

// xmlMatch is what of a policy matters here. Namespaces are not looked at.
type xmlPolicy struct {
	XMLName xml.Name
	Rules   []struct {
		Effect string `xml:"Effect,attr"`
		AnyOf  []struct {
			AllOf []struct {
				Match []struct {
					Value      string `xml:"AttributeValue"`
					Designator struct {
						ID string `xml:"AttributeId,attr"`
					} `xml:"AttributeDesignator"`
				} `xml:"Match"`
			} `xml:"AllOf"`
		} `xml:"Target>AnyOf"`
	} `xml:"Rule"`
}

// mostRules bounds the ways in which the rules of one policy permit.
const mostRules = 10_000

// rulesOf returns all ways in which a policy permits: of each AnyOf one AllOf.
func rulesOf(text []byte) ([]rule, error) {
	var p xmlPolicy
	if err := xml.Unmarshal(text, &p); err != nil {
		return nil, err
	}
	if p.XMLName.Local != "Policy" {
		return nil, fmt.Errorf("its root is %s", p.XMLName.Local)
	}
	var all []rule
	for _, r := range p.Rules {
		if r.Effect != "Permit" {
			return nil, fmt.Errorf("it has a rule of effect %q", r.Effect)
		}
		ways := []rule{{}}
		for _, any := range r.AnyOf {
			var longer []rule
			for _, way := range ways {
				for _, allOf := range any.AllOf {
					with := way
					for _, m := range allOf.Match {
						with.match(m.Designator.ID, strings.TrimSpace(m.Value))
					}
					longer = append(longer, with)
				}
			}
			if ways = longer; len(ways)+len(all) > mostRules {
				return nil, fmt.Errorf("it permits in more than %d ways", mostRules)
			}
		}
		all = append(all, ways...)
	}
	return slices.Clip(all), nil
}

func (r *rule) match(attribute, value string) {
	switch attribute {
	case "urn:altinn:org":
		r.resource = "app_" + value + strings.TrimPrefix(r.resource, "app_")
	case "urn:altinn:app":
		if r.resource == "" {
			r.resource = "app_"
		}
		r.resource += "_" + value
	case "urn:altinn:resource":
		r.resource = value
	case "urn:altinn:task", "urn:altinn:end-event": // a right names either as its task
		r.task = value
	case "urn:altinn:resource:instance-id", "urn:altinn:instance-id":
		r.instance = value[strings.LastIndexAny(value, ":/")+1:]
	case "urn:oasis:names:tc:xacml:1.0:action:action-id":
		r.action = value
	case "urn:altinn:partyid", "urn:altinn:userid", "urn:altinn:systemuser:uuid", "urn:altinn:person:uuid", "urn:altinn:organization:uuid",
		"urn:altinn:party:uuid", "urn:altinn:organization:identifier-no", "urn:altinn:person:identifier-no":
		r.subjectAttribute, r.subject = attribute, value
	default:
		r.other = attribute
	}
}
