package check

import (
	"context"
	"errors"
	"fmt"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/rpc/reading"
)

// Checker answers questions, all at one revision. Without questions it says which
// revision that is.
type Checker interface {
	Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error)
}

// Config is what a Server needs.
type Config struct {
	Checker Checker
}

// Server is the CheckService.
type Server struct {
	behalfv1.UnimplementedCheckServiceServer

	checker Checker
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Checker == nil {
		return nil, fmt.Errorf("rpc/check: a checker is required")
	}
	return &Server{checker: c.Checker}, nil
}

// Check answers one question.
func (s *Server) Check(ctx context.Context, req *behalfv1.CheckRequest) (*behalfv1.CheckResponse, error) {
	q, err := question(caller.From(ctx), func() string { return "question" }, req.GetQuestion())
	if err != nil {
		return nil, err
	}
	answers, revision, err := s.ask(ctx, req, []relation.Question{q})
	if err != nil {
		return nil, err
	}
	if err := answers[0].Err; err != nil {
		return nil, misnamed(q, err)
	}
	return &behalfv1.CheckResponse{Allowed: answers[0].Allowed, Revision: string(revision)}, nil
}

// BulkCheck answers several questions at one revision. Those that may not be asked are
// answered with the reason, and do not keep the others from an answer.
func (s *Server) BulkCheck(ctx context.Context, req *behalfv1.BulkCheckRequest) (*behalfv1.BulkCheckResponse, error) {
	who := caller.From(ctx)
	if who.Kind == caller.Nobody {
		return nil, nobody()
	}
	out := make([]*behalfv1.BulkCheckAnswer, len(req.GetQuestions()))
	asked := make([]relation.Question, 0, len(out))
	places := make([]int, 0, len(out)) // of the asked questions in the answer
	for i, message := range req.GetQuestions() {
		q, err := question(who, func() string { return fmt.Sprintf("questions[%d]", i) }, message)
		if err != nil {
			out[i] = refused(err)
			continue
		}
		asked, places = append(asked, q), append(places, i)
	}
	answers, revision, err := s.ask(ctx, req, asked)
	if err != nil {
		return nil, err
	}
	for i, answer := range answers {
		if answer.Err != nil {
			out[places[i]] = refused(answer.Err)
		} else {
			out[places[i]] = &behalfv1.BulkCheckAnswer{Allowed: answer.Allowed}
		}
	}
	return &behalfv1.BulkCheckResponse{Answers: out, Revision: string(revision)}, nil
}

func (s *Server) ask(ctx context.Context, req reading.Request, questions []relation.Question) ([]relation.Answer, relation.Revision, error) {
	at, err := reading.At(ctx, req)
	if err != nil {
		return nil, "", err
	}
	answers, revision, err := s.checker.Check(ctx, at, questions...)
	if err != nil {
		return nil, "", fmt.Errorf("check %d questions: %w", len(questions), err)
	}
	if len(answers) != len(questions) {
		return nil, "", fmt.Errorf("check: %d answers to %d questions", len(answers), len(questions))
	}
	return answers, revision, nil
}

// refused is the answer to a question that cannot be answered. Of a fault of ours the
// caller learns that it is one.
func refused(err error) *behalfv1.BulkCheckAnswer {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind != fault.Internal {
		return &behalfv1.BulkCheckAnswer{Reason: string(e.Reason), Message: e.Public}
	}
	return &behalfv1.BulkCheckAnswer{Reason: string(fault.ReasonInternal), Message: "the question could not be answered"}
}
