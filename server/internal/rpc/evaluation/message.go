package evaluation

import (
	"context"
	"errors"
	"math"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/structpb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/evaluation"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// question reads a question. Whom it may be about is looked at when it names a subject.
func question(who caller.Caller, m *behalfv1.EvaluationQuestion, aboutSubject bool) evaluation.Question {
	q := evaluation.Question{
		Subject:  entity(m.GetSubject()),
		Action:   evaluation.Action{Name: m.GetAction().GetName(), Properties: properties(m.GetAction().GetProperties())},
		Resource: entity(m.GetResource()),
		Context:  properties(m.GetContext()),
	}
	switch {
	case m.GetFault() != "":
		q.Fault = fault.New(fault.Invalid, fault.ReasonInvalidArgument, "%s", m.GetFault())
	case aboutSubject:
		q.Fault = mayAskAbout(who, q.Subject)
	}
	return q
}

// mayAskAbout says whether a caller may ask about a subject. An end user who could claim
// properties of himself would choose his own rights.
func mayAskAbout(who caller.Caller, subject evaluation.Entity) error {
	switch {
	case who.Kind == caller.Service, subject.Type == "" || subject.ID == "": // which is wrong in another way
		return nil
	case who.Kind != caller.User:
		return fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
	case subject.Type != relation.TypeUser || subject.ID != strconv.FormatInt(who.UserID, 10) || len(subject.Properties) > 0:
		return fault.New(fault.Denied, fault.ReasonOtherUser,
			"a user may ask about himself only: type %s, his own id, and no properties", relation.TypeUser)
	}
	return nil
}

func entity(m *behalfv1.EvaluationEntity) evaluation.Entity {
	return evaluation.Entity{Type: m.GetType(), ID: m.GetId(), Properties: properties(m.GetProperties())}
}

func properties(m *structpb.Struct) map[string]any {
	if len(m.GetFields()) == 0 {
		return nil
	}
	return m.AsMap()
}

func semantic(m behalfv1.EvaluationSemantic) evaluation.Semantic {
	switch m {
	case behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_DENY_ON_FIRST_DENY:
		return evaluation.DenyOnFirstDeny
	case behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_PERMIT_ON_FIRST_PERMIT:
		return evaluation.PermitOnFirstPermit
	case behalfv1.EvaluationSemantic_EVALUATION_SEMANTIC_UNSPECIFIED:
	}
	return evaluation.ExecuteAll
}

func page(m *behalfv1.SearchPage) evaluation.Page {
	p := evaluation.Page{Token: m.GetToken()}
	if m != nil && m.Limit != nil {
		limit := int(min(m.GetLimit(), math.MaxInt32))
		p.Limit = &limit
	}
	return p
}

// message returns an answer as the contract has it. Of a fault of ours the caller learns
// that it is one; the log learns the cause.
func (s *Server) message(ctx context.Context, a *evaluation.Answer) *behalfv1.Evaluation {
	out := &behalfv1.Evaluation{
		Permitted: a.Permitted && a.Err == nil, Reason: a.Reason, By: a.By, Policy: a.Policy,
		Obligations: obligations(a.Obligations), Advice: obligations(a.Advice),
	}
	if a.Err == nil {
		return out
	}
	if fault.KindOf(a.Err) == fault.Internal {
		s.logger.ErrorContext(ctx, "an evaluation failed", "error", a.Err)
	}
	code := codes.Internal
	if f, ok := errors.AsType[*fault.Error](a.Err); ok {
		code = rpcstatus.Code(f.Kind)
	}
	out.ErrorCode = int32(code)
	return out
}

func entities(found []evaluation.Found) []*behalfv1.SearchedEntity {
	out := make([]*behalfv1.SearchedEntity, len(found))
	for i, f := range found {
		out[i] = &behalfv1.SearchedEntity{Type: f.Type, Id: f.ID, Obligations: obligations(f.Obligations)}
	}
	return out
}

func obligations(all []xacml.Obligation) []*behalfv1.Obligation {
	var out []*behalfv1.Obligation
	for _, o := range all {
		m := &behalfv1.Obligation{Id: o.ID}
		for _, a := range o.Assignments {
			m.Assignments = append(m.Assignments, &behalfv1.Assignment{
				Id: a.ID, Category: a.Category, Value: a.Value.Text, DataType: a.Value.DataType, Issuer: a.Issuer,
			})
		}
		out = append(out, m)
	}
	return out
}
