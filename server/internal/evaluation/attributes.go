package evaluation

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// Beginnings of the attributes that properties become.
const (
	ofSubject     = "urn:behalf:subject:"
	ofAction      = "urn:behalf:action:"
	ofResource    = "urn:behalf:resource:"
	ofEnvironment = "urn:behalf:environment:"
)

// Attributes of the standard.
const (
	subjectID  = "urn:oasis:names:tc:xacml:1.0:subject:subject-id"
	resourceID = "urn:oasis:names:tc:xacml:1.0:resource:resource-id"
	actionID   = "urn:oasis:names:tc:xacml:1.0:action:action-id"
)

// asRequest returns a question as policies ask about it. The ref says which of them will be
// asked. The error says which property says what only type, id and name may say.
func asRequest(q *Question, ref policy.Ref) (*xacml.Request, error) {
	subject := gathering{prefix: ofSubject}
	subject.own("type", q.Subject.Type)
	subject.own("id", q.Subject.ID)
	subject.urn(subjectID, q.Subject.ID)
	subject.urn(identity(q.Subject), q.Subject.ID)
	subject.refuse(idPerson, idSSN)
	subject.properties("", q.Subject.Properties)

	action := gathering{prefix: ofAction}
	action.own("name", q.Action.Name)
	action.urn(actionID, q.Action.Name)
	action.properties("", q.Action.Properties)

	resource := gathering{prefix: ofResource}
	resource.urn(resourceID, q.Resource.ID)
	resource.refuse(idOrg, idApp, idResource, decision.ObjectType, decision.ObjectID)
	switch {
	case ref.Kind() == policy.OfApp:
		resource.urn(idOrg, ref.Org())
		resource.urn(idApp, ref.Name())
	case ref.Kind() == policy.OfResource:
		resource.urn(idResource, ref.Name())
	case q.Resource.Type == idInstance:
		resource.urn(idInstance, q.Resource.ID)
	default:
		resource.own("type", q.Resource.Type)
		resource.own("id", q.Resource.ID)
		resource.refuse(idInstance) // of an app
	}
	resource.properties("", q.Resource.Properties)

	environment := gathering{prefix: ofEnvironment}
	environment.properties("", q.Context)

	r := &xacml.Request{}
	for _, c := range []struct {
		category string
		*gathering
	}{
		{xacml.SubjectCategory, &subject},
		{xacml.ActionCategory, &action},
		{xacml.ResourceCategory, &resource},
		{xacml.EnvironmentCategory, &environment},
	} {
		if c.refused != "" {
			return nil, fmt.Errorf("%s is no property that can be given here: types, ids and names say who and what is meant", c.refused)
		}
		if len(c.found) > 0 {
			r.Categories = append(r.Categories, xacml.Attributes{Category: c.category, Attributes: c.found})
		}
	}
	return r, nil
}

// gathering are the attributes of a category so far.
type gathering struct {
	prefix  string
	found   []xacml.Attribute
	fixed   []string // properties that the entity itself says
	refused string   // a property that says something else about what is fixed
}

// own adds an attribute of ours that no property can change: one of its name is not read.
func (g *gathering) own(name, text string) { g.urn(g.prefix+name, text) }

// urn adds an attribute that no property can change.
func (g *gathering) urn(id, text string) {
	if id == "" {
		return
	}
	g.fixed = append(g.fixed, id)
	g.found = append(g.found, xacml.Attribute{ID: id, Values: []xacml.AttributeValue{xacml.StringValue(text)}})
}

// refuse says which attributes properties must not be.
func (g *gathering) refuse(ids ...string) { g.fixed = append(g.fixed, ids...) }

// properties adds properties, in the order of their names. Members of objects are
// properties whose names are joined by dots.
func (g *gathering) properties(path string, all map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		full := path + name
		if members, ok := all[name].(map[string]any); ok {
			g.properties(full+".", members)
			continue
		}
		id := g.prefix + full
		urn := strings.HasPrefix(full, urnPrefix)
		if urn {
			id = full
		}
		if slices.Contains(g.fixed, id) {
			if urn {
				g.refused = full
			}
			continue
		}
		if values := g.values(full+".", nil, all[name], urn); len(values) > 0 {
			g.found = append(g.found, xacml.Attribute{ID: id, Values: values})
		}
	}
}

// values appends the values of a property: a number is there as a double and, without a
// fraction, as an integer, so that a policy may ask for either; of a list each entry.
func (g *gathering) values(path string, to []xacml.AttributeValue, v any, urn bool) []xacml.AttributeValue {
	switch v := v.(type) {
	case string:
		return append(to, xacml.StringValue(v))
	case bool:
		return append(to, written(value.Boolean, strconv.FormatBool(v)))
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if urn { // attributes of Altinn's are strings, whatever they look like
			to = append(to, xacml.StringValue(text))
		}
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			to = append(to, written(value.Integer, text))
		}
		return append(to, written(value.Double, text))
	case []any:
		for _, entry := range v {
			to = g.values(path, to, entry, urn)
		}
		return to
	case map[string]any: // in a list
		g.properties(path, v)
	}
	return to
}

func written(kind value.Kind, text string) xacml.AttributeValue {
	return xacml.AttributeValue{DataType: kind.URI(), Text: text}
}
