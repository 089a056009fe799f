package altinnworld

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// listsOwner is whose the access lists are that name no owner.
const listsOwner = "altinn"

// readResources reads resource-list.json and returns who owns each resource.
func (r *reader) readResources() map[string]string {
	const name = "resource-list.json"
	var list []fileResource
	r.files.read(name, &list)
	owners := make(map[string]string, len(list))
	for i, f := range list {
		owners[f.Identifier] = f.Authority.OrgCode
		record := &behalfv1.Resource{
			Id: f.Identifier, Owner: f.Authority.OrgCode, OwnerNumber: f.Authority.Organization, Type: f.Type,
			Title:          cmp.Or(f.Title["nb"], f.Title["nn"], f.Title["en"]),
			AccessListMode: behalfv1.AccessListMode_ACCESS_LIST_MODE_DISABLED,
		}
		switch {
		case strings.EqualFold(f.ListMode, "Enabled"):
			record.AccessListMode = behalfv1.AccessListMode_ACCESS_LIST_MODE_ENABLED
		case f.ListMode != "" && !strings.EqualFold(f.ListMode, "Disabled"):
			r.refuse(r.at(name, i+1), "accessListMode", "is %q; write Enabled or Disabled", f.ListMode)
			continue
		}
		at := r.at(name, i+1)
		r.world.Entries = append(r.world.Entries, at.Checked(&behalfv1.ImportEntry{
			File: at.File, Line: at.Line, Entry: &behalfv1.ImportEntry_Resource{Resource: record},
		}))
	}
	return owners
}

// accessLists gathers access lists that several files name.
type accessLists struct {
	order []*accessList
	byURN map[string]*accessList
}

type accessList struct {
	place   registerfile.Place
	record  *behalfv1.AccessList
	members []*somebody
}

func (l *accessLists) of(at registerfile.Place, owner, identifier string) *accessList {
	urn := owner + ":" + identifier
	list := l.byURN[urn]
	if list == nil {
		list = &accessList{place: at, record: &behalfv1.AccessList{Owner: owner, Identifier: identifier}}
		l.byURN[urn] = list
		l.order = append(l.order, list)
	}
	return list
}

func (l *accessList) add(member *somebody, since time.Time) {
	if slices.Contains(l.members, member) {
		return
	}
	l.members = append(l.members, member)
	m := &behalfv1.AccessListMember{}
	if !since.IsZero() {
		m.Since = timestamppb.New(since)
	}
	l.record.Members = append(l.record.Members, m)
}

// readAccessLists reads access-lists/<party's UUID>.json, the lists that a party is on, and
// access-list-memberships.json, which resources lists open to whom without naming the lists.
func (r *reader) readAccessLists(owners map[string]string) {
	lists := &accessLists{byURN: map[string]*accessList{}}
	for _, name := range r.list("access-lists", ".json") {
		member := r.people.ofUUID(r.at(name, 1), strings.TrimSuffix(path.Base(name), ".json"))
		var on []fileAccessList
		r.files.read(name, &on)
		for i, f := range on {
			r.takeAccessList(r.at(name, i+1), lists, member, f)
		}
	}
	r.readMemberships(lists, owners)
	for _, l := range lists.order {
		for i, member := range l.members {
			l.record.Members[i].Party = member.who().reference()
		}
		r.world.Entries = append(r.world.Entries, l.place.Checked(&behalfv1.ImportEntry{
			File: l.place.File, Line: l.place.Line, Entry: &behalfv1.ImportEntry_AccessList{AccessList: l.record},
		}))
	}
}

func (r *reader) takeAccessList(at registerfile.Place, lists *accessLists, member *somebody, f fileAccessList) {
	name, named := strings.CutPrefix(f.URN, "urn:altinn:access-list:")
	owner, identifier, _ := strings.Cut(name, ":")
	if f.URN == "" {
		owner, identifier, named = listsOwner, cmp.Or(f.Identifier, f.Identifer), true
	}
	if !named || identifier == "" {
		r.refuse(at, "urn", "is %q; write urn:altinn:access-list:<owner>:<identifier>", f.URN)
		return
	}
	list := lists.of(at, owner, identifier)
	list.record.Name = cmp.Or(list.record.Name, f.Name)
	list.record.Description = cmp.Or(list.record.Description, f.Description)
	list.add(member, time.Time{})
}

// readMemberships makes a list of its own for each resource and set of actions.
func (r *reader) readMemberships(lists *accessLists, owners map[string]string) {
	const name = "access-list-memberships.json"
	var file fileMemberships
	r.files.read(name, &file)
	for i, m := range file.Memberships {
		at := r.at(name, i+1)
		uuid := m.Party[strings.LastIndex(m.Party, ":")+1:]
		member := r.people.find(0, m.Organization, "", uuid)
		if member == nil {
			member = r.people.add(at, &fileParty{PartyTypeName: 2, OrgNumber: m.Organization, PartyUUID: uuid})
		}
		if m.Resource == "" {
			r.refuse(at, "resource", "is missing")
			continue
		}
		actions := slices.Sorted(slices.Values(m.ActionFilters))
		identifier := strings.Join(append([]string{"members-of", m.Resource}, actions...), "-")
		list := lists.of(at, cmp.Or(owners[m.Resource], listsOwner), identifier)
		list.record.Resources = []*behalfv1.AccessListResource{{Resource: m.Resource, Actions: actions}}
		since, err := time.Parse(time.RFC3339, m.Since)
		if err != nil && m.Since != "" {
			r.refuse(at, "since", "is %q; write a time, such as 2024-08-27T15:15:55Z", m.Since)
			continue
		}
		list.add(member, since)
	}
}

// readEstateRoles reads oed-role-assignments.json. Who is named there is on record
// afterwards, by his national id.
func (r *reader) readEstateRoles() {
	const name = "oed-role-assignments.json"
	var file fileEstateRoles
	r.files.read(name, &file)
	for i, a := range file.Assignments {
		at := r.at(name, i+1)
		missing := ""
		for field, text := range map[string]string{"from": a.From, "to": a.To, "role": a.Role} {
			if text == "" {
				missing = field
			}
		}
		if missing != "" {
			r.refuse(at, missing, "is missing")
			continue
		}
		for _, nin := range []string{a.From, a.To} {
			r.people.add(at, &fileParty{PartyTypeName: 1, SSN: nin})
		}
		r.world.EstateRoles = append(r.world.EstateRoles, &behalfv1.EstateRole{From: "nin:" + a.From, To: "nin:" + a.To, Role: a.Role})
	}
}

// readInstances reads instances/<party's id>/<instance's id>.json.
func (r *reader) readInstances() {
	for _, name := range r.list("instances", ".json") {
		var f fileInstance
		if !r.files.read(name, &f) {
			continue
		}
		at := r.at(name, 1)
		org, app, ok := strings.Cut(f.AppID, "/")
		if !ok || org == "" || app == "" {
			r.refuse(at, "appId", "is %q; write <org>/<app>", f.AppID)
			continue
		}
		id := f.ID
		if !strings.Contains(id, "/") {
			id = strconv.FormatInt(int64(f.InstanceOwner.PartyID), 10) + "/" + id
		}
		if owner, ok := numberIn(strings.SplitN(id, "/", 2)[0], ""); ok {
			r.people.party(at, owner)
		}
		instance := &behalfv1.Instance{Id: id, Org: org, App: app, EndEvent: f.Process.EndEvent}
		if f.Process.CurrentTask != nil {
			instance.Task = f.Process.CurrentTask.ElementID
		}
		r.world.Instances = append(r.world.Instances, instance)
	}
}

// Policy is the policy of an app or a resource.
type Policy struct {
	File string
	Ref  *behalfv1.PolicyRef
	Text []byte
}

// readPolicies reads policies/apps/<org>/<app>/policy.xml and
// policies/resources/<id>/policy.xml.
func (r *reader) readPolicies() {
	for _, name := range r.list("policies", ".xml") {
		var ref *behalfv1.PolicyRef
		switch parts := strings.Split(name, "/"); {
		case len(parts) == 5 && parts[1] == "apps":
			ref = &behalfv1.PolicyRef{Org: parts[2], App: parts[3]}
		case len(parts) == 4 && parts[1] == "resources":
			ref = &behalfv1.PolicyRef{Resource: parts[2]}
		default:
			r.note(name, "stands neither in policies/apps/<org>/<app> nor in policies/resources/<id>, and was left out")
			continue
		}
		r.world.Policies = append(r.world.Policies, Policy{File: r.name(name), Ref: ref, Text: r.text(name)})
	}
}
