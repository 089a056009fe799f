package decision

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

var (
	uuidText   = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	numberText = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
)

// readResource collects what the resource's attributes say (first step).
func (q *question) readResource() error {
	c := q.category(xacml.ResourceCategory)
	if c == nil || len(c.Attributes) == 0 {
		return wrong("the request has no resource: there is no attribute of category %s", xacml.ResourceCategory)
	}
	read := []struct {
		id   string
		into *string
	}{
		{idOrg, &q.resource.Org}, {idApp, &q.resource.App}, {idResource, &q.resource.ID}, {idInstance, &q.instance},
		{idTask, &q.resource.Task}, {idEndEvent, &q.resource.EndEvent}, {idInstanceRef, &q.resource.Instance},
		{idObjectType, &q.resource.Type},
	}
	for _, r := range read {
		text, err := single(c, r.id)
		if err != nil {
			return err
		}
		*r.into = text
	}
	if app, ok := strings.CutPrefix(q.resource.ID, "app_"); ok {
		if org, name, ok := strings.Cut(app, "_"); ok && org != "" && name != "" {
			return q.agreeOnApp(org, name)
		}
	}
	return nil
}

// agreeOnApp takes the app that the resource's id names.
func (q *question) agreeOnApp(org, app string) error {
	r := &q.resource
	if r.Org != "" && r.Org != org || r.App != "" && r.App != app {
		return wrong("the resource is %s and also app %s of %s: a request is about one", r.ID, r.App, r.Org)
	}
	r.Org, r.App = org, app
	q.lacksApp = single0(q.category(xacml.ResourceCategory), idOrg) == "" || single0(q.category(xacml.ResourceCategory), idApp) == ""
	return nil
}

// findInstance asks for the instance when the request does not say all about it (second
// step).
func (q *question) findInstance(ctx context.Context) error {
	if q.instance == "" {
		return nil
	}
	owner, guid, ok := strings.Cut(q.instance, "/")
	if !ok || !numberText.MatchString(owner) || !uuidText.MatchString(guid) {
		return wrong("%s must be <partyId>/<UUID>, not %q", idInstance, clip(q.instance))
	}
	if q.resource.IsApp() && q.namesParty() {
		return nil
	}
	i, err := q.call.instance(ctx, q.instance)
	if err != nil {
		return err
	}
	if q.resource.Org != "" && q.resource.Org != i.Org || q.resource.App != "" && q.resource.App != i.App {
		return wrong("instance %s is one of app %s of %s, not of the app in the request", q.instance, i.App, i.Org)
	}
	if q.resource.Org == "" {
		q.supply(xacml.ResourceCategory, idOrg, i.Org)
	}
	if q.resource.App == "" {
		q.supply(xacml.ResourceCategory, idApp, i.App)
	}
	q.resource.Org, q.resource.App = i.Org, i.App
	switch {
	case q.resource.Task != "" || q.resource.EndEvent != "":
	case i.Task != "":
		q.resource.Task = i.Task
		q.supply(xacml.ResourceCategory, idTask, i.Task)
	case i.EndEvent != "":
		q.resource.EndEvent = i.EndEvent
		q.supply(xacml.ResourceCategory, idEndEvent, i.EndEvent)
	}
	if !q.namesParty() {
		q.supplyBack(xacml.ResourceCategory, idParty, owner)
	}
	return nil
}

// namesParty says whether the request says whose the resource is.
func (q *question) namesParty() bool {
	c := q.category(xacml.ResourceCategory)
	for _, id := range []string{idParty, idOrgNumber, idOldOrgNumber, idPersonNumber, idPartyUUID, idOrganisationUUID, idPersonUUID} {
		if single0(c, id) != "" {
			return true
		}
	}
	return false
}

// findParty resolves the party whose the resource is (third step).
func (q *question) findParty() error {
	c := q.category(xacml.ResourceCategory)
	names, err := q.partyNames(c)
	if err != nil {
		return err
	}
	for _, n := range names {
		p, err := q.resolve(n)
		if err != nil {
			return err
		}
		if p.ID == 0 {
			continue
		}
		if q.resource.Party != 0 && q.resource.Party != p.ID {
			return wrong("the resource names two parties, %d and %d: a request is about one", q.resource.Party, p.ID)
		}
		q.resource.Party, q.owner = p.ID, p
	}
	if len(names) > 0 && q.resource.Party == 0 {
		return wrong("the resource's party is not known: the register has none with %s %s", names[0].id, shown(names[0].id, names[0].text))
	}
	if owner, _, ok := strings.Cut(q.instance, "/"); ok && q.resource.Party != 0 && owner != strconv.FormatInt(int64(q.resource.Party), 10) {
		return wrong("instance %s is not one of party %d", q.instance, q.resource.Party)
	}
	if q.resource.Party != 0 && single0(c, idParty) == "" {
		q.supply(xacml.ResourceCategory, idParty, strconv.FormatInt(int64(q.resource.Party), 10))
	}
	return nil
}

// name is an identifier of a party in a request.
type name struct{ id, text string }

// partyNames returns the identifiers of parties in a category.
func (q *question) partyNames(c *xacml.Attributes) ([]name, error) {
	var names []name
	for _, id := range []string{idParty, idPartyUUID, idOrganisationUUID, idPersonUUID, idOrgNumber, idOldOrgNumber, idPersonNumber, idSSN} {
		text, err := single(c, id)
		if err != nil {
			return nil, err
		}
		if text != "" {
			names = append(names, name{id, text})
		}
	}
	return names, nil
}

// resolve returns the party that is named so, the zero Party when the register has none. A
// party that is only known by its number, as relations name it, is returned without more.
func (q *question) resolve(n name) (party.Party, error) {
	parties := q.call.service.parties
	var p party.Party
	switch n.id {
	case idParty:
		if !numberText.MatchString(n.text) {
			return p, wrong("%s must be a positive number, not %q", n.id, clip(n.text))
		}
		number, err := strconv.ParseInt(n.text, 10, 64)
		if err != nil {
			return p, wrong("%s must be a positive number, not %q", n.id, clip(n.text))
		}
		if known, ok := parties.Get(party.ID(number)); ok {
			return known, nil
		}
		return party.Party{ID: party.ID(number)}, nil
	case idPartyUUID, idOrganisationUUID, idPersonUUID:
		if !uuidText.MatchString(n.text) {
			return p, wrong("%s must be a UUID, not %q", n.id, clip(n.text))
		}
		p, _ = parties.ByUUID(n.text)
	case idOrgNumber, idOldOrgNumber:
		p, _ = parties.ByOrgNumber(n.text)
	case idPersonNumber, idSSN:
		if q.call.request.Door != External {
			return p, wrong("national identity numbers are taken by POST authorize only; name the person by %s or %s", idUser, idPersonUUID)
		}
		p, _ = parties.ByNationalID(n.text)
	}
	return p, nil
}

// normalise gives the resource every form that policies ask about (fourth step).
func (q *question) normalise() error {
	r := &q.resource
	if r.IsApp() && r.ID != "app_"+r.Org+"_"+r.App && strings.HasPrefix(r.ID, "app_") {
		// An app passes no access lists, and what is delegated is delegated on the id.
		return wrong("the resource is %s and also app %s of %s: a request is about one", clip(r.ID), r.App, r.Org)
	}
	switch {
	case r.IsApp() && (r.ID == "" || strings.HasPrefix(r.ID, "app_")):
		if q.lacksApp {
			c := q.category(xacml.ResourceCategory)
			if single0(c, idOrg) == "" {
				q.supply(xacml.ResourceCategory, idOrg, r.Org)
			}
			if single0(c, idApp) == "" {
				q.supply(xacml.ResourceCategory, idApp, r.App)
			}
		}
		if r.ID == "" {
			r.ID = "app_" + r.Org + "_" + r.App
			q.supply(xacml.ResourceCategory, idResource, r.ID)
		}
	case r.ID != "": // of the registry, whatever else is said
		r.Org, r.App = "", ""
	}
	return nil
}

// normaliseInstance supplies an instance's reference in both of its forms.
func (q *question) normaliseInstance() error {
	r := &q.resource
	const urn = idInstance + ":"
	if err := q.oneInstance(); err != nil {
		return err
	}
	if q.instance != "" {
		_, guid, _ := strings.Cut(q.instance, "/")
		if r.Instance == "" {
			q.supply(xacml.ResourceCategory, idInstanceRef, guid)
			q.supply(xacml.ResourceCategory, idInstanceRef, urn+q.instance)
		}
		r.Instance = q.instance
		return nil
	}
	if r.Instance == "" || !r.IsApp() || r.Party == 0 {
		return nil
	}
	owner := strconv.FormatInt(int64(r.Party), 10)
	switch id, ok := strings.CutPrefix(r.Instance, urn); {
	case ok:
		of, guid, _ := strings.Cut(id, "/")
		if of != owner {
			return wrong("instance %s is not one of party %s", clip(id), owner)
		}
		q.supply(xacml.ResourceCategory, idInstanceRef, guid)
		r.Instance = id
	case uuidText.MatchString(r.Instance):
		q.supply(xacml.ResourceCategory, idInstanceRef, urn+owner+"/"+r.Instance)
		r.Instance = owner + "/" + r.Instance
	}
	return nil
}

// oneInstance refuses references to several instances: a right to one of them must not
// open another. The two spellings of one instance are one.
func (q *question) oneInstance() error {
	named := relation.InstanceID(q.instance)
	for _, a := range q.category(xacml.ResourceCategory).Attributes {
		if a.ID != idInstanceRef {
			continue
		}
		for _, v := range a.Values {
			id := relation.InstanceID(v.Text)
			if named != "" && id != named {
				return wrong("the request is about instances %q and %q: a request is about one", clip(named), clip(id))
			}
			named = id
		}
	}
	return nil
}

// SplitInstance returns whose an instance is and its UUID in lower case.
func SplitInstance(id string) (of party.ID, guid string, err error) {
	owner, guid, ok := strings.Cut(id, "/")
	n, parseErr := strconv.ParseInt(owner, 10, 64)
	if !ok || parseErr != nil || n <= 0 || !uuidText.MatchString(guid) {
		return 0, "", wrong("%s must be <partyId>/<UUID>, not %q", idInstance, clip(id))
	}
	return party.ID(n), strings.ToLower(guid), nil
}
