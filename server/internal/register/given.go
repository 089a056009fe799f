package register

import (
	"slices"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Relations of what is delegated.
const (
	relationRight       = "right"
	relationRightUser   = "user"
	relationRightOrg    = "org"
	relationRightSystem = "systemuser"
	relationPassedOn    = relation.TypeClientDelegation // of the party, to the object
	relationClient      = "client"
	relationProvider    = "provider"
	relationAgentSystem = "agent_system"
	packagePrefix       = "pkg_"
	organisationSuffix  = "_org"
	roleAgent           = "agent"
)

// Given is what a party has delegated, with what it hangs on.
type Given struct {
	Delegations []records.Delegation
	Agents      []Agent              // of the providers among them
	Serves      []records.Delegation // what the party passes on, of its clients', to system users
}

// Agent is somebody who acts for clients of a provider.
type Agent struct {
	Provider, Agent party.ID
	Expires         time.Time
}

// given adds what follows from what the party has delegated.
func (d *derivation) given(catalogue *roles.Catalogue, p party.Party, held []Held, g Given) {
	if p.ID == 0 {
		return // it is not on record yet: who wrote this names it
	}
	for _, each := range g.Delegations {
		switch {
		case each.Via != 0:
			d.passedOn(catalogue, p, each, held, g.Agents)
		case each.Package != "":
			d.givenPackage(each)
		default:
			d.givenRight(each)
		}
	}
	for _, each := range g.Serves {
		if each.ToSystem != "" && (each.Expires.IsZero() || each.Expires.After(d.now)) {
			d.add(relationAgentSystem, relation.SystemUser(each.ToSystem), time.Time{})
		}
	}
}

// givenRight adds a single right, and that the party has given it: as long as anybody has it.
func (d *derivation) givenRight(g records.Delegation) {
	right, err := relation.Right(int64(g.From), g.Resource, g.Action, g.Instance, g.Task)
	if err != nil {
		return // was refused when it was written
	}
	name := relationRightOrg
	switch {
	case g.ToSystem != "":
		name = relationRightSystem
	case g.ToUser != 0:
		name = relationRightUser
	}
	d.addTo(right, name, receiver(g), g.Expires)
	d.add(relationRight, relation.Subject{Object: right}, g.Expires)
}

func (d *derivation) givenPackage(g records.Delegation) {
	name := packagePrefix + g.Package
	if g.ToSystem == "" && g.ToUser == 0 {
		name += organisationSuffix
	}
	d.add(name, receiver(g), g.Expires)
}

// passedOn adds a package of a client that its provider has passed on to an agent. It ends
// with the grant, with the provider's role and with the agent's place in the provider,
// whichever ends first; without one of them there is nothing.
func (d *derivation) passedOn(catalogue *roles.Catalogue, client party.Party, g records.Delegation, held []Held, agents []Agent) {
	pkg, ok := catalogue.PackageByRelation(g.Package)
	if !ok {
		return
	}
	serves, until := false, time.Time{}
	for _, h := range held {
		if h.Holder == g.Via && h.User == 0 && pkg.ClientGrants(h.Role, client.UnitType) {
			until = longer(serves, until, h.Expires)
			serves = true
		}
	}
	works, engaged := g.ToSystem != "", time.Time{}
	for _, a := range agents {
		if g.ToSystem == "" && a.Provider == g.Via && a.Agent == g.To {
			engaged = longer(works, engaged, a.Expires)
			works = true
		}
	}
	if !serves || !works {
		return
	}
	end := slices.MinFunc([]time.Time{g.Expires, until, engaged}, compareExpiry)
	object := relation.ClientDelegation(int64(g.From), int64(g.Via))
	d.addTo(object, packagePrefix+g.Package, receiver(g), end)
	d.addTo(object, relationClient, subject(g.From), end)
	d.addTo(object, relationProvider, subject(g.Via), end)
	d.add(relationPassedOn, relation.Subject{Object: object}, end)
}

// longer returns the later of two ends, the first of which counts only if there was one.
func longer(known bool, a, b time.Time) time.Time {
	if !known || compareExpiry(b, a) > 0 {
		return b
	}
	return a
}

// receiver is the subject to which a delegation gives something.
func receiver(g records.Delegation) relation.Subject {
	switch {
	case g.ToSystem != "":
		return relation.SystemUser(g.ToSystem)
	case g.ToUser != 0:
		return relation.User(int64(g.ToUser))
	}
	return subject(g.To)
}
