package decision

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// record has the answer to a question recorded. The answer must not leave when it fails.
func (c *call) record(ctx context.Context, q *question, a *Answer, took time.Duration) error {
	if c.service.auditor == nil {
		return nil
	}
	return c.service.auditor.Record(ctx, Record{
		Time:        c.now,
		Door:        c.request.Door,
		Origin:      c.request.Origin,
		Subject:     q.subject,
		Resource:    q.resource,
		Action:      q.action,
		Session:     single0(q.category(xacml.SubjectCategory), idSession),
		Request:     q.request,
		Decision:    a.Decision,
		Status:      a.Status.Code,
		Obligations: a.Obligations,
		By:          a.By,
		Reason:      a.Reason,
		Policy:      a.Policy,
		Revision:    c.response.Revision,
		Latency:     took,
	})
}
