package behalf

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// maxQuestions is how many questions one call can ask.
const maxQuestions = 1000

// Check reports whether a subject has a permission on an object. Checks that are made at the same
// time travel together, without waiting for each other.
func (c *Client) Check(ctx context.Context, question Question) (bool, error) {
	fresh := c.session.at()
	answer, err := c.checks.check(ctx, fresh, question.proto())
	if err != nil {
		return false, err
	}
	c.session.saw(fresh, answer.revision)
	return answer.allowed, nil
}

// Answer is the answer to one of several questions.
type Answer struct {
	// Allowed is true when the subject has the permission.
	Allowed bool
	// Err is why the question could not be answered; nil when it was.
	Err error
}

// BulkCheck answers questions in their order. Up to 1,000 are answered at one revision; more are
// asked in several calls, each at least as fresh as the one before.
func (c *Client) BulkCheck(ctx context.Context, questions ...Question) ([]Answer, error) {
	answers := make([]Answer, 0, len(questions))
	revision := c.session.at()
	for some := range slices.Chunk(questions, maxQuestions) {
		asked := make([]*behalfv1.CheckQuestion, len(some))
		for i, q := range some {
			asked[i] = q.proto()
		}
		got, err := askAll(ctx, c.questions, revision, asked)
		if err != nil {
			return nil, err
		}
		c.session.saw(revision, got.GetRevision())
		revision = got.GetRevision()
		for _, a := range got.GetAnswers() {
			answers = append(answers, answerOf(a))
		}
	}
	return answers, nil
}

func answerOf(a *behalfv1.BulkCheckAnswer) Answer {
	if a.GetReason() == "" {
		return Answer{Allowed: a.GetAllowed()}
	}
	return Answer{Err: &Error{Code: codes.Unknown, Reason: Reason(a.GetReason()), Message: a.GetMessage()}}
}

// askAll asks up to 1,000 questions. An answer that has not one entry for each question is none.
func askAll(ctx context.Context, service behalfv1.CheckServiceClient, fresh string, questions []*behalfv1.CheckQuestion) (*behalfv1.BulkCheckResponse, error) {
	got, err := service.BulkCheck(ctx, &behalfv1.BulkCheckRequest{Questions: questions, AtLeastAsFresh: fresh})
	if err != nil {
		return nil, err
	}
	if len(got.GetAnswers()) != len(questions) {
		return nil, &Error{Code: codes.Internal, Reason: ReasonInternal, Message: "the server has not answered each question"}
	}
	return got, nil
}
