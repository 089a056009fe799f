package evaluation

import (
	"context"
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Relations answers from the relation graph. Pin fixes the revision that everything else
// sees with the context it returns.
type Relations interface {
	Pin(ctx context.Context, at relation.At) (context.Context, relation.Revision, error)
	CheckWith(ctx context.Context, at relation.At, q relation.Question, caveats map[string]any) (relation.Answer, relation.Revision, error)
}

// Lister tells what a list may hold.
type Lister interface {
	CandidateResources(ctx context.Context, at relation.At, objectType, permission string, subject relation.Subject, caveats map[string]any) (relation.Candidates, relation.Revision, error)
	CandidateSubjects(ctx context.Context, at relation.At, object relation.Object, permission, subjectType string, caveats map[string]any) (relation.Candidates, relation.Revision, error)
	Objects(ctx context.Context, at relation.At, typ string) ([]string, relation.Revision, error)
	Permissions(ctx context.Context, at relation.At, definition string) (permissions, relations []string, ok bool, err error)
}

// Policies finds policies. Without one the error is a NotFound fault.
type Policies interface {
	Current(ctx context.Context, at relation.At, ref policy.Ref) (policy.Policy, relation.Revision, error)
}

// Decider takes decisions.
type Decider interface {
	Decide(ctx context.Context, r decision.Request) (decision.Response, error)
}

// Config is what a Service needs. Auditor may be nil: then answers of the relation graph
// are not recorded.
type Config struct {
	Relations Relations
	Lister    Lister
	Policies  Policies
	Decisions Decider
	Auditor   decision.Auditor
}

// Service answers questions. It is safe for concurrent use.
type Service struct {
	relations Relations
	lister    Lister
	policies  Policies
	decisions Decider
	auditor   decision.Auditor
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Relations == nil || c.Lister == nil || c.Policies == nil || c.Decisions == nil {
		return nil, errors.New("evaluation: relations, a lister, policies and decisions are required")
	}
	return &Service{relations: c.Relations, lister: c.Lister, policies: c.Policies, decisions: c.Decisions, auditor: c.Auditor}, nil
}

// Evaluate answers questions in their order, all at one revision, as far as the semantic
// wants. What is wrong with one is in its answer and spoils no other; the error is for what
// kept all of them from being asked.
func (s *Service) Evaluate(ctx context.Context, at relation.At, from decision.Origin, semantic Semantic, questions ...Question) ([]Answer, relation.Revision, error) {
	ctx, revision, err := s.relations.Pin(ctx, at)
	if err != nil {
		return nil, "", fmt.Errorf("fix the revision of an evaluation: %w", err)
	}
	c := &call{service: s, origin: from, revision: revision}
	if semantic == ExecuteAll && len(questions) > 1 {
		answers := c.together(ctx, questions)
		if err := ctx.Err(); err != nil {
			return nil, "", fmt.Errorf("evaluate: %w", err)
		}
		return answers, revision, nil
	}
	answers := make([]Answer, 0, len(questions))
	for i := range questions {
		if err := ctx.Err(); err != nil {
			return nil, "", fmt.Errorf("evaluate: %w", err)
		}
		answers = append(answers, c.answer(ctx, &questions[i]))
		if semantic.ends(&answers[i]) {
			break
		}
	}
	return answers, revision, nil
}

// call is one call of a Service, with a pinned context.
type call struct {
	service  *Service
	origin   decision.Origin
	revision relation.Revision
	listing  bool // answers confirm the results of a search and are not recorded one by one
}
