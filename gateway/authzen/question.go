package authzen

import (
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Members of requests.
const (
	keySubject    = "subject"
	keyAction     = "action"
	keyResource   = "resource"
	keyContext    = "context"
	keyProperties = "properties"
)

// entities are the members that say what a question is about.
var entities = []string{keySubject, keyAction, keyResource, keyContext}

// question reads a question. What is absent is left out, for the service to miss; what is of
// the wrong type is an error. Members of other names are not looked at. ignored names the
// entity that a search is for: its id or name does not count.
func question(body object, ignored string) (*behalfv1.EvaluationQuestion, error) {
	q := &behalfv1.EvaluationQuestion{}
	var err error
	if q.Subject, err = entity(body, keySubject, ignored); err != nil {
		return nil, err
	}
	if q.Resource, err = entity(body, keyResource, ignored); err != nil {
		return nil, err
	}
	if ignored != keyAction {
		if q.Action, err = action(body); err != nil {
			return nil, err
		}
	}
	q.Context, err = structure(body, keyContext, keyContext)
	return q, err
}

func entity(body object, key, ignored string) (*behalfv1.EvaluationEntity, error) {
	of, err := member[object](body, key, key, "an object")
	if err != nil || of == nil {
		return nil, err
	}
	e := &behalfv1.EvaluationEntity{}
	if e.Type, err = member[string](of, "type", key+".type", "a string"); err != nil {
		return nil, err
	}
	if key != ignored {
		if e.Id, err = member[string](of, "id", key+".id", "a string"); err != nil {
			return nil, err
		}
	}
	e.Properties, err = structure(of, keyProperties, key+"."+keyProperties)
	return e, err
}

func action(body object) (*behalfv1.EvaluationAction, error) {
	of, err := member[object](body, keyAction, keyAction, "an object")
	if err != nil || of == nil {
		return nil, err
	}
	a := &behalfv1.EvaluationAction{}
	if a.Name, err = member[string](of, "name", "action.name", "a string"); err != nil {
		return nil, err
	}
	a.Properties, err = structure(of, keyProperties, "action.properties")
	return a, err
}

func structure(of object, key, field string) (*structpb.Struct, error) {
	m, err := member[object](of, key, field, "an object")
	if err != nil || m == nil {
		return nil, err
	}
	s, err := structpb.NewStruct(m)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read", field)
	}
	return s, nil
}

// member returns a member of an object, the zero value when it is absent or null.
func member[T any](of object, key, field, what string) (T, error) {
	var none T
	v, there := of[key]
	if !there || v == nil {
		return none, nil
	}
	t, ok := v.(T)
	if !ok {
		return none, fmt.Errorf("%s must be %s", field, what)
	}
	return t, nil
}
