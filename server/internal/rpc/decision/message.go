package decision

import (
	"math"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// message returns an answer as the contract has it. An effect that is none of the others
// lets nobody in.
func message(a *decision.Answer) *behalfv1.Decision {
	out := &behalfv1.Decision{
		StatusCode:  string(a.Status.Code),
		Reason:      a.Reason,
		Obligations: obligations(a.Obligations),
		Advice:      obligations(a.Advice),
		Policy:      a.Policy,
		Explanation: explanation(a),
	}
	switch a.Decision {
	case xacml.Permit:
		out.Effect = behalfv1.Effect_EFFECT_PERMIT
	case xacml.Deny:
		out.Effect = behalfv1.Effect_EFFECT_DENY
	case xacml.NotApplicable:
		out.Effect = behalfv1.Effect_EFFECT_NOT_APPLICABLE
	case xacml.IndeterminateDP, xacml.IndeterminateD, xacml.IndeterminateP:
	}
	for _, m := range a.Status.Missing {
		out.Missing = append(out.Missing, &behalfv1.MissingAttribute{Category: m.Category, Id: m.ID, DataType: m.DataType})
	}
	for i := range a.Attributes {
		for j := range a.Attributes[i].Attributes {
			out.Included = append(out.Included, &behalfv1.IncludedAttribute{
				Category: a.Attributes[i].Category, Attribute: attribute(&a.Attributes[i].Attributes[j]),
			})
		}
	}
	return out
}

func attribute(a *xacml.Attribute) *behalfv1.Attribute {
	out := &behalfv1.Attribute{Id: a.ID, IncludeInResult: a.IncludeInResult}
	for _, v := range a.Values {
		out.Values, out.DataType = append(out.Values, v.Text), v.DataType
	}
	return out
}

func obligations(all []xacml.Obligation) []*behalfv1.Obligation {
	out := make([]*behalfv1.Obligation, len(all))
	for i, o := range all {
		out[i] = &behalfv1.Obligation{Id: o.ID}
		for _, a := range o.Assignments {
			out[i].Assignments = append(out[i].Assignments, &behalfv1.Assignment{
				Id: a.ID, Category: a.Category, Value: a.Value.Text, DataType: a.Value.DataType, Issuer: a.Issuer,
			})
		}
	}
	return out
}

func explanation(a *decision.Answer) *behalfv1.Explanation {
	e := a.Explanation
	if e == nil {
		return nil
	}
	out := &behalfv1.Explanation{
		Policy: e.Policy.ID, PolicyVersion: e.Policy.Version, Rule: e.Rule, By: a.By.String(),
		RequiredLevel: number(e.Level), Question: question(e.Question),
	}
	out.Parts = parts(nil, e.Trace, 0)
	for _, p := range e.Paths {
		out.Paths = append(out.Paths, &behalfv1.ExplainedPath{Gives: p.Gives, Steps: p.Steps})
	}
	for _, w := range e.Wanted {
		out.Wanted = append(out.Wanted, &behalfv1.Attribute{Id: w.ID, Values: w.Values})
	}
	return out
}

// number returns n as messages hold it, bounded.
func number(n int) int32 { return int32(max(math.MinInt32, min(n, math.MaxInt32))) }

func parts(to []*behalfv1.ExplainedPart, t *xacml.Trace, depth int) []*behalfv1.ExplainedPart {
	if t == nil {
		return to
	}
	part := &behalfv1.ExplainedPart{
		Depth: number(depth), Kind: t.Kind, Id: t.ID, Line: number(t.Line), Decision: t.Decision.Extended(),
		Target: t.Target, Condition: t.Condition,
	}
	for i := range t.Failed {
		part.Failed = append(part.Failed, t.Failed[i].Wants())
	}
	to = append(to, part)
	for _, c := range t.Children {
		to = parts(to, c, depth+1)
	}
	return to
}

func question(r *xacml.Request) *behalfv1.DecisionQuestion {
	out := &behalfv1.DecisionQuestion{}
	for i := range r.Categories {
		for j := range r.Categories[i].Attributes {
			a := attribute(&r.Categories[i].Attributes[j])
			switch r.Categories[i].Category {
			case xacml.SubjectCategory:
				out.Subject = append(out.Subject, a)
			case xacml.ResourceCategory:
				out.Resource = append(out.Resource, a)
			case xacml.ActionCategory:
				out.Action = append(out.Action, a)
			default:
				out.Environment = append(out.Environment, a)
			}
		}
	}
	return out
}
