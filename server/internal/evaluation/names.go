package evaluation

import (
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Types of resources that policies are stored for one by one.
const (
	typeApp      = "app"
	typeResource = "resource"
)

// Attributes that name subjects and resources. An entity may have one as its type.
const (
	idApp        = "urn:altinn:app"
	idOrg        = "urn:altinn:org"
	idResource   = "urn:altinn:resource"
	idUser       = "urn:altinn:userid"
	idParty      = "urn:altinn:partyid"
	idSystemUser = "urn:altinn:systemuser:uuid"
	idInstance   = "urn:altinn:instance-id"
	idPerson     = "urn:altinn:person:identifier-no"
	idSSN        = "urn:altinn:ssn"
)

// urnPrefix begins a type or a name of a property that is an attribute's identifier.
const urnPrefix = "urn:"

// refs returns the policies that may be stored for a resource. The first one that is
// decides.
func refs(resource Entity) []policy.Ref {
	switch resource.Type {
	case typeApp:
		return []policy.Ref{appRef(resource.ID), policy.Type(typeApp)}
	case idApp:
		return []policy.Ref{appRef(resource.ID)}
	case typeResource:
		return []policy.Ref{policy.Resource(resource.ID), policy.Type(typeResource)}
	case idResource:
		return []policy.Ref{policy.Resource(resource.ID)}
	}
	return []policy.Ref{policy.Type(resource.Type)}
}

// appRef returns the policy of an app that is named org/app, or by its resource id. It is
// the zero Ref for every other name.
func appRef(id string) policy.Ref {
	if org, app, ok := strings.Cut(id, "/"); ok {
		return policy.App(org, app)
	}
	if ref := policy.Resource(id); ref.Kind() == policy.OfApp {
		return ref
	}
	return policy.Ref{}
}

// definitions are those by which the graph knows what attributes name.
var definitions = map[string]string{
	idUser: relation.TypeUser, idParty: relation.TypeParty, idSystemUser: relation.TypeSystemUser,
}

// definition returns the name that the graph has for a type.
func definition(typ string) string {
	if known, ok := definitions[typ]; ok {
		return known
	}
	return typ
}

// object returns the object of the graph that an entity is. It is not ok when no schema can
// have its type.
func object(e Entity) (relation.Object, bool) {
	o := relation.Object{Type: definition(e.Type), ID: objectID(e.ID)}
	if o.Type == relation.TypeSystemUser {
		o.ID = strings.ToLower(o.ID)
	}
	return o, definitionName.MatchString(o.Type) && o.ID != ""
}

// asCheck returns a question as the graph answers it. It is not ok when no schema can have
// its types or action.
func asCheck(q *Question) (relation.Question, bool) {
	resource, known := object(q.Resource)
	subject, ok := object(q.Subject)
	return relation.Question{Object: resource, Permission: q.Action.Name, Subject: relation.Subject{Object: subject}},
		known && ok && relationName.MatchString(q.Action.Name)
}

// caveats returns what caveats may read of a question. What a search is for is not there.
func caveats(q *Question) map[string]any {
	given := map[string]any{"context": orEmpty(q.Context)}
	if q.Subject.ID != "" {
		given["subject"] = map[string]any{"type": q.Subject.Type, "id": q.Subject.ID, "properties": orEmpty(q.Subject.Properties)}
	}
	if q.Resource.ID != "" {
		given["resource"] = map[string]any{"type": q.Resource.Type, "id": q.Resource.ID, "properties": orEmpty(q.Resource.Properties)}
	}
	if q.Action.Name != "" {
		given["action"] = map[string]any{"name": q.Action.Name, "properties": orEmpty(q.Action.Properties)}
	}
	return given
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// identity returns the attribute by which decisions know a subject, "" for a type of one's
// own: a user by his number, say, when it is one.
func identity(subject Entity) string {
	number := func(id string) string {
		if _, ok := (relation.Object{ID: subject.ID}).Number(); ok {
			return id
		}
		return ""
	}
	switch subject.Type {
	case relation.TypeUser:
		return number(idUser)
	case relation.TypeParty:
		return number(idParty)
	case relation.TypeSystemUser:
		return idSystemUser
	}
	if strings.HasPrefix(subject.Type, urnPrefix) {
		return subject.Type
	}
	return ""
}

// subjectOf returns a subject as the record of a decision has it.
func subjectOf(e Entity) decision.Subject {
	n, _ := strconv.ParseInt(e.ID, 10, 64)
	switch identity(e) {
	case idUser:
		return decision.Subject{User: party.UserID(n)}
	case idParty:
		return decision.Subject{Party: party.ID(n)}
	case idSystemUser:
		return decision.Subject{SystemUser: strings.ToLower(e.ID)}
	}
	return decision.Subject{}
}
