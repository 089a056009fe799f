package altinnworld

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// readRegister reads the parties of the register: register/*.json, one party or a list
// each, and parties.json.
func (r *reader) readRegister() {
	names := r.list("register", ".json")
	if text := r.text("parties.json"); text != nil {
		names = append(names, "parties.json")
	}
	for _, name := range names {
		for i, p := range r.parties(name) {
			r.people.add(r.at(name, i+1), &p)
		}
	}
}

// parties reads a file that is a party or a list of them.
func (r *reader) parties(name string) []fileParty {
	if strings.HasPrefix(strings.TrimSpace(string(r.text(name))), "{") {
		var one fileParty
		if !r.files.read(name, &one) {
			return nil
		}
		return []fileParty{one}
	}
	var list []fileParty
	r.files.read(name, &list)
	return list
}

func (r *reader) readProfiles() {
	var p profiles
	if !r.files.read("profiles.json", &p) {
		return
	}
	for i := range p.users {
		u := &p.users[i]
		at := r.at("profiles.json", i+1)
		if u.UserID <= 0 && u.LookupUserID <= 0 {
			r.refuse(at, "userId", "is missing, and lookupUserId with it")
			continue
		}
		r.people.profile(at, u)
	}
}

func (r *reader) readMainUnits() {
	const name = "main-units.json"
	var units []fileMainUnit
	r.files.read(name, &units)
	for i, u := range units {
		at := r.at(name, i+1)
		switch {
		case u.PartyID <= 0:
			r.refuse(at, "partyId", "is missing")
		case u.ParentPartyID > 0:
			r.people.party(at, int64(u.PartyID)).under(r.people.party(at, int64(u.ParentPartyID)))
		}
	}
}

// partyList is what a user is shown of parties.
type partyList struct {
	file    string
	user    int64
	parties []fileParty
	plain   bool // it says which parties and not by what roles
}

// readPartyLists reads the lists of parties that users are shown, and takes the parties:
// authorized-parties/<user>.json, altinn2-authorized-parties-by-user.json and
// parties/<user>.json.
func (r *reader) readPartyLists() []partyList {
	var lists []partyList
	add := func(list partyList) {
		for i := range list.parties {
			r.people.add(r.at(list.file, i+1), &list.parties[i])
		}
		lists = append(lists, list)
	}
	for _, dir := range []string{"authorized-parties", "parties"} {
		for _, name := range r.list(dir, ".json") {
			user, ok := numberIn(strings.TrimSuffix(path.Base(name), ".json"), "")
			if !ok {
				r.refuse(r.at(name, 1), "", "is not named by a user's number")
				continue
			}
			add(partyList{file: name, user: user, parties: r.parties(name), plain: dir == "parties"})
		}
	}
	const byUser = "altinn2-authorized-parties-by-user.json"
	var all map[string][]fileParty
	r.files.read(byUser, &all)
	for _, name := range numbers(all) {
		user, _ := strconv.ParseInt(name, 10, 32)
		add(partyList{file: byUser, user: user, parties: all[name]})
	}
	return lists
}

// takeLists takes the roles and resources that lists of parties show. It comes after the
// roles themselves: a list that names a party alone says only that there is something.
func (r *reader) takeLists(lists []partyList) {
	for _, l := range lists {
		for i := range l.parties {
			r.takeListed(r.at(l.file, i+1), l, &l.parties[i])
		}
	}
}

func (r *reader) takeListed(at registerfile.Place, l partyList, p *fileParty) {
	party := r.people.find(int64(p.PartyID), cmp.Or(p.OrgNumber, p.OrgNumber2), cmp.Or(p.SSN, p.PersonID), p.PartyUUID)
	for _, role := range p.Roles {
		r.role(at, l.user, party, role)
	}
	for _, resource := range p.Resources {
		r.listed = append(r.listed, listedRight{place: at, party: party, user: l.user, resource: resource})
	}
	for _, i := range p.Instances {
		r.listed = append(r.listed, listedRight{place: at, party: party, user: l.user, resource: i.ResourceID, instance: i.InstanceID})
	}
	if l.plain && !p.HierarchyOnly {
		r.shown = append(r.shown, listedRight{place: at, party: party, user: l.user})
	}
	for i := range p.below() {
		r.takeListed(at, l, &p.below()[i])
	}
}

// role takes a role that a user holds for a party. Being a private person, or a user who
// identified himself, is no role one is given but says whose party it is.
func (r *reader) role(at registerfile.Place, user int64, party *somebody, role string) {
	private := strings.EqualFold(role, "PRIV") || strings.EqualFold(role, "SELN")
	if private && (party.natural() || party.kind == 0) {
		if party.kind == 0 {
			party.kind = 1
		}
		r.people.isUser(party, user)
		if party.user == user {
			party.login = true
			return
		}
	}
	r.hold(at, party, r.people.user(at, user), role)
}

// readRoles reads roles/user_<id>/party_<id>/roles.json.
func (r *reader) readRoles() {
	for _, name := range r.list("roles", ".json") {
		parts := strings.Split(name, "/")
		if len(parts) != 4 {
			r.refuse(r.at(name, 1), "", "does not stand in roles/user_<user id>/party_<party id>")
			continue
		}
		user, isUser := numberIn(parts[1], "user_")
		party, isParty := numberIn(parts[2], "party_")
		if !isUser || !isParty {
			r.refuse(r.at(name, 1), "", "does not stand in roles/user_<user id>/party_<party id>")
			continue
		}
		var roles []fileRole
		r.files.read(name, &roles)
		for i, role := range roles {
			at := r.at(name, i+1)
			if role.Value == "" {
				r.refuse(at, "value", "is missing; write a role's code")
				continue
			}
			r.role(at, user, r.people.party(at, party), role.Value)
		}
	}
}

// keyRole is the role of those who hold a key role that no file names.
const keyRole = "KEYROLE"

// readKeyRoles reads keyrole-parties.json.
func (r *reader) readKeyRoles() {
	const name = "keyrole-parties.json"
	var k keyRoles
	if !r.files.read(name, &k) {
		return
	}
	for i, user := range slices.Sorted(maps.Keys(k.of)) {
		at := r.at(name, i+1)
		for _, party := range k.of[user] {
			r.holdsKey(at, user, r.people.party(at, party))
		}
	}
}

// holdsKey notes that a user holds a key role in a party.
func (r *reader) holdsKey(at registerfile.Place, user int64, party *somebody) {
	r.hold(at, party, r.people.user(at, user), keyRole)
}
