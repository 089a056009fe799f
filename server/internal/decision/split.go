package decision

import (
	"slices"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// split cuts a request into its questions. At Altinn's doors one or no reference is no
// request for several answers, and a category that is there twice is one.
func split(r *Request) ([]xacml.Single, error) {
	asked := r.XACML
	if !r.Door.altinn() {
		return xacml.Split(asked, xacml.Options{})
	}
	if len(asked.Questions) < 2 {
		one := xacml.Request{ReturnPolicyIDs: asked.ReturnPolicyIDs}
		return []xacml.Single{merge(one, asked.Categories)}, nil
	}
	if _, err := xacml.Split(asked, xacml.Options{}); err != nil { // its bounds are ours too
		return nil, err
	}
	singles := make([]xacml.Single, len(asked.Questions))
	for i, question := range asked.Questions {
		if question.Fault != "" {
			singles[i].Fault = question.Fault
			continue
		}
		chosen := make([]xacml.Attributes, len(question.Categories))
		for j, at := range question.Categories {
			chosen[j] = asked.Categories[at]
		}
		singles[i] = merge(xacml.Request{ReturnPolicyIDs: asked.ReturnPolicyIDs}, chosen)
	}
	return singles, nil
}

// merge makes one question of categories.
func merge(one xacml.Request, categories []xacml.Attributes) xacml.Single {
	for i := range categories {
		c := categories[i]
		if c.Fault != "" {
			return xacml.Single{Fault: c.Fault}
		}
		at := slices.IndexFunc(one.Categories, func(a xacml.Attributes) bool { return a.Category == c.Category })
		if at < 0 {
			c.Attributes = slices.Clip(c.Attributes)
			one.Categories = append(one.Categories, c)
			continue
		}
		one.Categories[at].Attributes = append(one.Categories[at].Attributes, c.Attributes...)
	}
	return xacml.Single{Request: &one}
}

// fold makes one answer of all where the request or the door's contract wants one: clients
// of Altinn get a single Indeterminate when none of their questions could be asked.
func (r *Response) fold(of *Request) {
	refused := func(a Answer) bool { return a.refused }
	switch {
	case of.Door.altinn() && len(r.Answers) > 1 && !slices.ContainsFunc(r.Answers, func(a Answer) bool { return !refused(a) }):
		r.Answers = r.Answers[:1]
	case of.XACML.Combined && len(r.Answers) > 1:
		results := make([]xacml.Result, len(r.Answers))
		for i := range r.Answers {
			results[i] = r.Answers[i].Result
		}
		combined := xacml.Combine(results)
		r.Answers = []Answer{{Result: combined, Reason: combined.Status.Message}}
	}
}
