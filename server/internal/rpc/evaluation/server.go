package evaluation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/evaluation"
	"github.com/behalf-authz/behalf/server/internal/event"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Config is what a Server needs.
type Config struct {
	Evaluations *evaluation.Service
	// Origin says where a call came from.
	Origin func(context.Context) decision.Origin
	// Logger takes the causes of questions that could not be answered. May be nil.
	Logger *slog.Logger
}

// Server is the EvaluationService.
type Server struct {
	behalfv1.UnimplementedEvaluationServiceServer

	evaluations *evaluation.Service
	origin      func(context.Context) decision.Origin
	logger      *slog.Logger
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Evaluations == nil || c.Origin == nil {
		return nil, errors.New("rpc/evaluation: evaluations and origin are required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{evaluations: c.Evaluations, origin: c.Origin, logger: c.Logger}, nil
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { behalfv1.RegisterEvaluationServiceServer(r, s) }

// Evaluate answers one question. What is wrong with it is the error of the call.
func (s *Server) Evaluate(ctx context.Context, req *behalfv1.EvaluateRequest) (*behalfv1.EvaluateResponse, error) {
	answers, revision, err := s.evaluations.Evaluate(ctx, atLeast(req.GetAtLeastAsFresh()), s.origin(ctx), evaluation.ExecuteAll,
		question(caller.From(ctx), req.GetQuestion(), true))
	if err != nil {
		return nil, err
	}
	if len(answers) != 1 {
		return nil, fmt.Errorf("rpc/evaluation: %d answers to one question", len(answers))
	}
	if err := answers[0].Err; err != nil {
		return nil, err
	}
	annotate(ctx, answers)
	return &behalfv1.EvaluateResponse{Evaluation: s.message(ctx, &answers[0]), Revision: string(revision)}, nil
}

// BulkEvaluate answers several questions at one revision.
func (s *Server) BulkEvaluate(ctx context.Context, req *behalfv1.BulkEvaluateRequest) (*behalfv1.BulkEvaluateResponse, error) {
	who := caller.From(ctx)
	questions := make([]evaluation.Question, len(req.GetQuestions()))
	for i, q := range req.GetQuestions() {
		questions[i] = question(who, q, true)
	}
	answers, revision, err := s.evaluations.Evaluate(ctx, atLeast(req.GetAtLeastAsFresh()), s.origin(ctx), semantic(req.GetSemantic()), questions...)
	if err != nil {
		return nil, err
	}
	annotate(ctx, answers)
	out := &behalfv1.BulkEvaluateResponse{Revision: string(revision)}
	for i := range answers {
		out.Evaluations = append(out.Evaluations, s.message(ctx, &answers[i]))
	}
	return out, nil
}

// SearchSubjects lists who may do an action on a resource. It is for services: an end user
// must not learn of others.
func (s *Server) SearchSubjects(ctx context.Context, req *behalfv1.SearchSubjectsRequest) (*behalfv1.SearchSubjectsResponse, error) {
	if caller.From(ctx).Kind != caller.Service {
		return nil, fault.New(fault.Denied, fault.ReasonServicesOnly, "the call is open to services only")
	}
	list, err := s.evaluations.SearchSubjects(ctx, relation.At{}, s.origin(ctx), question(caller.From(ctx), req.GetQuestion(), false), page(req.GetPage()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.SearchSubjectsResponse{Results: entities(list.Results), NextToken: list.Next, Revision: string(list.Revision)}, nil
}

// SearchResources lists what a subject may do an action on.
func (s *Server) SearchResources(ctx context.Context, req *behalfv1.SearchResourcesRequest) (*behalfv1.SearchResourcesResponse, error) {
	list, err := s.evaluations.SearchResources(ctx, relation.At{}, s.origin(ctx), question(caller.From(ctx), req.GetQuestion(), true), page(req.GetPage()))
	if err != nil {
		return nil, err
	}
	return &behalfv1.SearchResourcesResponse{Results: entities(list.Results), NextToken: list.Next, Revision: string(list.Revision)}, nil
}

// SearchActions lists what a subject may do on a resource.
func (s *Server) SearchActions(ctx context.Context, req *behalfv1.SearchActionsRequest) (*behalfv1.SearchActionsResponse, error) {
	list, err := s.evaluations.SearchActions(ctx, relation.At{}, s.origin(ctx), question(caller.From(ctx), req.GetQuestion(), true), page(req.GetPage()))
	if err != nil {
		return nil, err
	}
	out := &behalfv1.SearchActionsResponse{NextToken: list.Next, Revision: string(list.Revision)}
	for _, r := range list.Results {
		out.Results = append(out.Results, &behalfv1.SearchedAction{Name: r.ID, Obligations: obligations(r.Obligations)})
	}
	return out, nil
}

func atLeast(revision string) relation.At {
	return relation.At{AtLeast: relation.Revision(revision)}
}

// annotate notes in the call's event what was answered: of one answer, and of the first of
// several that lets nobody in, why.
func annotate(ctx context.Context, answers []evaluation.Answer) {
	permitted, why := 0, ""
	for i := range answers {
		switch {
		case answers[i].Permitted:
			permitted++
		case why == "":
			why = answers[i].Reason
		}
	}
	decided := fmt.Sprintf("%d of %d permitted", permitted, len(answers))
	if len(answers) == 1 {
		decided, why = "denied", answers[0].Reason
		if permitted == 1 {
			decided = "permitted"
		}
	}
	event.Annotate(ctx, slog.String("decision", decided), slog.String("why", why))
}
