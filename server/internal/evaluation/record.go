package evaluation

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// describe returns what is to be recorded of an answer of the relation graph.
func (c *call) describe(q *Question, a *Answer, took time.Duration) decision.Record {
	if c.service.auditor == nil || c.listing {
		return decision.Record{}
	}
	request, err := asRequest(q, policy.Ref{})
	if err != nil { // properties that policies could not have are on no record
		request = &xacml.Request{}
	}
	r := decision.Record{
		Time: time.Now(), Door: decision.AuthZEN, Origin: c.origin,
		Subject: subjectOf(q.Subject), Resource: decision.Resource{Type: q.Resource.Type, ID: q.Resource.ID}, Action: q.Action.Name,
		Request: request, Decision: xacml.NotApplicable, Status: xacml.StatusOK,
		Reason: a.Reason, Revision: c.revision, Latency: took,
	}
	switch {
	case a.Permitted:
		r.Decision = xacml.Permit
	case a.Err != nil || a.By == "":
		r.Decision, r.Status = xacml.IndeterminateDP, xacml.StatusProcessingError
	}
	return r
}

// record has answers of the relation graph recorded, as decisions are. None of them may
// leave when that fails.
func (c *call) record(ctx context.Context, records ...decision.Record) error {
	if c.service.auditor == nil || c.listing || len(records) == 0 {
		return nil
	}
	if err := c.service.auditor.Record(ctx, records); err != nil {
		return fault.New(fault.Internal, decision.ReasonNotRecorded, "the decision could not be recorded").Because(err)
	}
	return nil
}
