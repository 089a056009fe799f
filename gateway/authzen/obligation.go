package authzen

import (
	"encoding/json"
	"slices"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// The types of the obligations profile.
const (
	stepUp             = "step-up"
	notification       = "notification"
	sessionTermination = "session_termination"
	custom             = "custom"
)

// obligationTypes are all types that answers may have.
var obligationTypes = []string{stepUp, notification, sessionTermination, custom}

// obligationPrefix begins the identifier of an obligation of a policy that is of one of the
// profile's types: its assignments are named as the profile's properties.
const obligationPrefix = "urn:behalf:obligation:"

// Altinn's obligation to authenticate: the category of its assignment, and what begins the
// context class that is asked for.
const (
	minimumLevel = "urn:altinn:minimum-authenticationlevel"
	levelClass   = "urn:altinn:authlevel:"
)

// obligation is an obligation of the profile.
type obligation struct {
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	Properties map[string]any `json:"properties"`
}

// obligations returns obligations as the profile has them. It is not ok when one has no
// identifier, by which it could be understood.
func obligations(all []*behalfv1.Obligation) (told []obligation, ok bool) {
	ok = true
	for _, o := range all {
		ok = ok && o.GetId() != ""
		told = append(told, tell(o))
	}
	return told, ok
}

func tell(o *behalfv1.Obligation) obligation {
	out := obligation{ID: o.GetId(), Type: custom, Properties: map[string]any{}}
	if named := strings.TrimPrefix(o.GetId(), obligationPrefix); named != o.GetId() && slices.Contains(obligationTypes, named) {
		out.Type = named
	}
	if levels := o.GetAssignments(); len(levels) == 1 && levels[0].GetCategory() == minimumLevel {
		out.Type, out.Properties["acr_value"] = stepUp, levelClass+levels[0].GetValue()
		return out
	}
	for _, a := range o.GetAssignments() {
		out.add(a.GetId(), typed(a))
	}
	return out
}

// add adds a value of a property: several are a list, as amr_values is in any case.
func (o *obligation) add(name string, v any) {
	switch have := o.Properties[name].(type) {
	case nil:
		if name == "amr_values" && o.Type == stepUp {
			v = []any{v}
		}
		o.Properties[name] = v
	case []any:
		o.Properties[name] = append(have, v)
	default:
		o.Properties[name] = []any{have, v}
	}
}

// typed returns the value of an assignment in JSON's types, as far as they have it.
func typed(a *behalfv1.Assignment) any {
	switch _, kind, _ := strings.Cut(a.GetDataType(), "#"); kind {
	case "boolean":
		return a.GetValue() == "true" || a.GetValue() == "1"
	case "integer", "double":
		if n := json.Number(a.GetValue()); json.Valid([]byte(n)) {
			return n
		}
	}
	return a.GetValue()
}
