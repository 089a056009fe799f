package decision

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// note keeps what is to be recorded of the answer to a question.
func (c *call) note(q *question, a *Answer, took time.Duration) {
	if c.service.auditor == nil || c.request.Listing {
		return
	}
	c.records = append(c.records, Record{
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

// record has all answers recorded, in one go: where the records of one wait for the disk,
// those of a hundred wait once. When that fails none of the answers leaves.
func (c *call) record(ctx context.Context) {
	if len(c.records) == 0 {
		return
	}
	err := c.service.auditor.Record(ctx, c.records)
	if err == nil {
		return
	}
	c.service.logger.ErrorContext(ctx, "decisions could not be recorded", "decisions", len(c.records), "error", err)
	for i := range c.response.Answers {
		c.response.Answers[i] = Answer{
			Result: xacml.Unanswered(xacml.StatusProcessingError, "the decision could not be recorded"),
			Reason: "the decision could not be recorded",
			Failed: true,
		}
	}
}
