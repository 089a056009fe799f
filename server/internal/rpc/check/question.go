package check

import (
	"errors"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// question reads a question. The field is its path in the request, which only errors ask for.
func question(who caller.Caller, field func() string, q *behalfv1.CheckQuestion) (relation.Question, error) {
	asked, err := subject(who, field, q.GetSubject())
	if err != nil {
		return relation.Question{}, err
	}
	return relation.Question{
		Object:     relation.Object{Type: q.GetObject().GetType(), ID: q.GetObject().GetId()},
		Permission: q.GetPermission(),
		Subject:    asked,
	}, nil
}

// subject returns whom a question is about. An end user asks about himself; a service
// about whomever it names.
func subject(who caller.Caller, field func() string, s *behalfv1.SubjectReference) (relation.Subject, error) {
	named := relation.Subject{
		Object:   relation.Object{Type: s.GetType(), ID: s.GetId()},
		Relation: s.GetRelation(),
	}
	switch who.Kind {
	case caller.User:
		if own := relation.User(who.UserID); s == nil || named == own {
			return own, nil
		}
		return relation.Subject{}, fault.New(fault.Denied, fault.ReasonOtherUser, "a user may ask about himself only")
	case caller.Service:
		if s != nil {
			return named, nil
		}
		e := fault.Field(field()+".subject", "a service must say whom it asks about")
		e.Reason = fault.ReasonUserRequired
		return relation.Subject{}, e
	case caller.Nobody:
	}
	return relation.Subject{}, nobody()
}

func nobody() error {
	return fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
}

// misnamed turns the fault of a single question that names what the schema does not have
// into one of the request, so that the caller learns which field to mend. Every other
// error stays what it is.
func misnamed(q relation.Question, err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Reason != fault.ReasonUnknownRelation {
		return err
	}
	invalid := fault.Field(misnamedField(q, e.Meta), "%s", e.Public)
	invalid.Reason, invalid.Meta = e.Reason, e.Meta
	return invalid.Because(err)
}

// misnamedField returns the field of a question that names what meta says is unknown.
func misnamedField(q relation.Question, meta map[string]string) string {
	definition := meta["definition_name"]
	switch name, ok := meta["relation_or_permission_name"]; {
	case ok && definition == q.Object.Type && name == q.Permission:
		return "question.permission"
	case ok:
		return "question.subject.relation"
	case definition == q.Object.Type:
		return "question.object.type"
	}
	return "question.subject.type"
}
