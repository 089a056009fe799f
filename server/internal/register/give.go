package register

import (
	"strings"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// DelegationRecord is what a source says that a party has delegated: a package, or a single
// right to a resource.
type DelegationRecord struct {
	From      string // the party that delegates, as ParseReference reads it
	To        string // the same, or systemuser: and a UUID
	Via       string // the provider that has passed on a package of From, its client; else empty
	Package   string // code, relation or URN
	Resource  string
	Action    string
	Instance  string // one instance; empty for all
	Task      string // one task; empty for all
	Expires   time.Time
	GivenBy   party.UserID // the user who gave it, 0 when the source does not say
	GivenWith string       // the service by which it was given
	GivenAt   time.Time    // zero for the time of the write
}

// systemUserScheme begins the name of a system user.
const systemUserScheme = "systemuser:"

// Lengths of the parts of a right. Together they fit into an object's id when they need no
// escapes.
const (
	maxResource = 256
	maxAction   = 256
	maxInstance = 256
	maxGiver    = 256
)

// give is a delegation record that is right in itself.
type give struct {
	place
	from, to, via Reference
	record        records.Delegation // without its parties
}

// takeDelegation takes a delegation record into the draft, or reports what is wrong.
func (d *draft) takeDelegation(at place, r DelegationRecord, catalogue *roles.Catalogue, to *report) {
	var wrong faults
	g := give{place: at, record: records.Delegation{
		Resource: relation.ResourceID(r.Resource), Action: r.Action, Instance: relation.InstanceID(r.Instance), Task: r.Task,
		Expires: micros(r.Expires), GivenBy: r.GivenBy, GivenWith: r.GivenWith, GivenAt: micros(r.GivenAt),
	}}
	g.from = reference(&wrong, "from", r.From)
	if id, ok := strings.CutPrefix(r.To, systemUserScheme); ok {
		g.record.ToSystem = strings.ToLower(id)
		wrong.unless(uuidForm.MatchString(g.record.ToSystem), "to", "systemuser: is followed by a UUID")
	} else {
		g.to = reference(&wrong, "to", r.To)
	}
	if r.Via != "" {
		g.via = reference(&wrong, "via", r.Via)
	}
	wrong.unless(len(r.GivenWith) <= maxGiver, "given_with", "must have at most %d bytes", maxGiver)
	if r.Package != "" {
		g.takePackage(r, catalogue, &wrong)
	} else {
		g.takeRight(r, &wrong)
	}
	if len(wrong) > 0 {
		to.refuse(at, ofDelegation, wrong)
		d.keepReferences(at.source, r.From, r.To)
		return
	}
	d.gives = append(d.gives, g)
}

func (g *give) takePackage(r DelegationRecord, catalogue *roles.Catalogue, wrong *faults) {
	wrong.unless(r.Resource == "" && r.Action == "" && r.Instance == "" && r.Task == "", "package",
		"stands for all its services: leave out resource, action, instance and task")
	g.record.Resource, g.record.Instance = "", ""
	p, ok := catalogue.Package(r.Package)
	if !ok {
		wrong.because(fault.Invalid, ReasonUnknownPackage, "package", "the catalogue has no access package %s", quote(r.Package))
		return
	}
	g.record.Package = p.Relation
	if r.Via != "" && len(p.ClientRoles()) == 0 {
		wrong.because(fault.Invalid, ReasonPackageNotAssignable, "package", "%s is none that a provider passes on to its agents", p.Code)
	}
}

func (g *give) takeRight(r DelegationRecord, wrong *faults) {
	wrong.unless(r.Via == "", "via", "is for packages: single rights of clients are not passed on")
	wrong.unless(r.Resource != "" && len(r.Resource) <= maxResource, "resource", "is required, unless a package is given, and has at most %d bytes", maxResource)
	wrong.unless(r.Action != "" && len(r.Action) <= maxAction, "action", "is required, unless a package is given, and has at most %d bytes", maxAction)
	wrong.unless(len(r.Instance) <= maxInstance, "instance", "must have at most %d bytes", maxInstance)
	wrong.unless(len(r.Task) <= maxInstance, "task", "must have at most %d bytes", maxInstance)
	if len(*wrong) > 0 {
		return
	}
	if _, err := relation.Right(maxID, r.Resource, r.Action, r.Instance, r.Task); err != nil {
		wrong.add("resource", "%s", err.Error())
	}
}

// keepReferences keeps what the source had said of the parties of a refused delegation.
func (d *draft) keepReferences(source int, texts ...string) {
	var names []Reference
	for _, text := range texts {
		if name, ok := ParseReference(text); ok {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		d.keeps = append(d.keeps, keep{source: source, names: names})
	}
}

// micros is a time as records keep it; zero stays zero.
func micros(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
