package evaluation

import (
	"context"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// together answers all questions: those that the decision core answers as one request, and
// all others so that they are recorded at once. Records that wait for the disk do so twice at
// most, however many there are.
func (c *call) together(ctx context.Context, questions []Question) []Answer {
	answers := make([]Answer, len(questions))
	var (
		request         xacml.Request
		decided, others []int // places of the answers
		refs            []policy.Ref
		records         []decision.Record
	)
	for i := range questions {
		q := &questions[i]
		ref, decides, err := c.route(ctx, q)
		switch {
		case err != nil:
			answers[i] = failed(err)
		case decides:
			one, err := asRequest(q, ref)
			if err != nil {
				answers[i] = Answer{Reason: err.Error()}
				continue
			}
			request.Questions = append(request.Questions, xacml.Question{Categories: appendAll(&request, one)})
			decided, refs = append(decided, i), append(refs, ref)
		default:
			var record decision.Record
			answers[i], record = c.check(ctx, q)
			others, records = append(others, i), append(records, record)
		}
	}
	if err := c.record(ctx, records...); err != nil {
		for _, i := range others {
			answers[i] = failed(err)
		}
	}
	if len(decided) == 0 {
		return answers
	}
	decisions, err := c.decisions(ctx, &request, len(decided))
	for i, at := range decided {
		if err != nil { // together they ask too much, or something failed: it spoils what it is about
			answers[at] = c.decide(ctx, &questions[at], refs[i])
			continue
		}
		answers[at] = decisions[i]
	}
	return answers
}

// appendAll appends the categories of one request to another and returns where they are.
func appendAll(to, one *xacml.Request) []int {
	places := make([]int, len(one.Categories))
	for i := range one.Categories {
		places[i] = len(to.Categories)
		to.Categories = append(to.Categories, one.Categories[i])
	}
	return places
}
