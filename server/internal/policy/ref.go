package policy

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Kind is what a policy decides about.
type Kind uint8

// The kinds of policy.
const (
	OfApp      Kind = iota + 1 // an app of an organisation
	OfResource                 // a resource of the registry
	OfType                     // all objects of a type
)

// Ref names what a policy decides about. The zero Ref names nothing.
type Ref struct {
	kind      Kind
	org, name string // org of an app only
}

// typeSegment begins the object's id of a type. No resource has it: its id has no '/'.
const typeSegment = "type"

// appPrefix begins the resource id of an app.
const appPrefix = "app_"

// App names an app, such as taxreport of skd.
func App(org, app string) Ref { return Ref{kind: OfApp, org: org, name: app} }

// Resource names a resource of the registry. The id app_<org>_<app> is the app's.
func Resource(id string) Ref {
	if org, app, ok := splitApp(id); ok {
		return App(org, app)
	}
	return Ref{kind: OfResource, name: id}
}

// Type names all objects of a type.
func Type(name string) Ref { return Ref{kind: OfType, name: name} }

// splitApp returns the app of a resource id that is one's. No organisation's code has an
// underscore, so the first one ends it.
func splitApp(id string) (org, app string, ok bool) {
	rest, ok := strings.CutPrefix(id, appPrefix)
	if !ok {
		return "", "", false
	}
	org, app, ok = strings.Cut(rest, "_")
	return org, app, ok && org != "" && app != ""
}

// Kind returns what the policy decides about.
func (r Ref) Kind() Kind { return r.kind }

// Org returns an app's organisation.
func (r Ref) Org() string { return r.org }

// Name returns the app, the resource's id or the type.
func (r Ref) Name() string { return r.name }

// ResourceID returns the id by which decisions know an app or a resource, empty for a type.
func (r Ref) ResourceID() string {
	switch r.kind {
	case OfApp:
		return appPrefix + r.org + "_" + r.name
	case OfResource:
		return r.name
	case OfType:
	}
	return ""
}

// String returns the reference for people, such as app skd/taxreport.
func (r Ref) String() string {
	switch r.kind {
	case OfApp:
		return "app " + r.org + "/" + r.name
	case OfResource:
		return "resource " + r.name
	case OfType:
		return "type " + r.name
	}
	return "nothing"
}

// Object returns the object of the graph that stands for the policy. The id of a Ref that
// Validate refuses is empty, which the graph refuses.
func (r Ref) Object() relation.Object {
	o := relation.Object{Type: relation.TypePolicy}
	parts := []string{r.ResourceID()}
	if r.kind == OfType {
		parts = []string{typeSegment, r.name}
	}
	if id, err := relation.JoinID(parts...); err == nil && r.kind != 0 && r.name != "" {
		o.ID = id
	}
	return o
}

// Validate reports what is wrong with a reference that was made from a request.
func (r Ref) Validate() error {
	switch {
	case r.kind == 0:
		return fault.Field("ref", "must name org and app, resource, or type")
	case r.kind == OfApp && (r.org == "" || r.name == ""):
		return fault.Field("ref", "must name org and app together")
	case r.kind == OfApp && strings.Contains(r.org, "_"):
		return fault.Field("ref.org", "must have no underscore: the resource id %s could be another app's", r.ResourceID())
	case r.name == "":
		return fault.Field("ref", "must not be empty")
	case r.Object().ID == "":
		return fault.Field("ref", "is too long")
	}
	return nil
}

// refOf returns the reference of an object's id. Others than Object makes are written by
// the relations API, and name nothing.
func refOf(id string) (Ref, bool) {
	parts, err := relation.SplitID(id)
	if err != nil {
		return Ref{}, false
	}
	r := Ref{}
	switch {
	case len(parts) == 1:
		r = Resource(parts[0])
	case len(parts) == 2 && parts[0] == typeSegment:
		r = Type(parts[1])
	}
	return r, r.Object().ID == id
}
