package altinnworld

import (
	"cmp"
	"fmt"
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
