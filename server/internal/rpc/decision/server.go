package decision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/event"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/rpc/reading"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Decider takes decisions.
type Decider interface {
	Decide(ctx context.Context, r decision.Request) (decision.Response, error)
}

// Config is what a Server needs.
type Config struct {
	Decisions Decider
	// Origin says where a call came from.
	Origin func(context.Context) decision.Origin
}

// Server is the DecisionService.
type Server struct {
	behalfv1.UnimplementedDecisionServiceServer

	decisions Decider
	origin    func(context.Context) decision.Origin
}

// New returns a server.
func New(c Config) (*Server, error) {
	if c.Decisions == nil || c.Origin == nil {
		return nil, errors.New("rpc/decision: decisions and origin are required")
	}
	return &Server{decisions: c.Decisions, origin: c.Origin}, nil
}

// Decide answers one question.
func (s *Server) Decide(ctx context.Context, req *behalfv1.DecideRequest) (*behalfv1.DecideResponse, error) {
	bulk, err := s.BulkDecide(ctx, &behalfv1.BulkDecideRequest{
		Questions: []*behalfv1.DecisionQuestion{req.GetQuestion()}, Explain: req.GetExplain(),
		AtLeastAsFresh: req.GetAtLeastAsFresh(), AtRevision: req.GetAtRevision(), AtTime: req.GetAtTime(),
	})
	if err != nil {
		return nil, err
	}
	return &behalfv1.DecideResponse{Decision: bulk.GetDecisions()[0], Revision: bulk.GetRevision()}, nil
}

// BulkDecide answers several questions at one revision.
func (s *Server) BulkDecide(ctx context.Context, req *behalfv1.BulkDecideRequest) (*behalfv1.BulkDecideResponse, error) {
	who := caller.From(ctx)
	if req.GetExplain() && !mayExplain(who) {
		return nil, fault.New(fault.Denied, fault.ReasonScopeMissing,
			"an explanation shows policies and relations: it needs the scope %s or %s", caller.PolicyWrite, caller.AuditRead).
			With("scope", string(caller.PolicyWrite))
	}
	at, err := reading.At(ctx, req)
	if err != nil {
		return nil, err
	}
	asked := &xacml.Request{}
	for _, q := range req.GetQuestions() {
		if err := ask(who, asked, q); err != nil {
			return nil, err
		}
	}
	response, err := s.decide(ctx, decision.Request{XACML: asked, Explain: req.GetExplain(), At: at})
	if err != nil {
		return nil, err
	}
	if len(response.Answers) != len(req.GetQuestions()) {
		return nil, errors.New("rpc/decision: there are not as many decisions as questions")
	}
	out := &behalfv1.BulkDecideResponse{Revision: string(response.Revision)}
	for i := range response.Answers {
		out.Decisions = append(out.Decisions, message(&response.Answers[i]))
	}
	return out, nil
}

// decide takes the decisions and notes in the call's event what they were.
func (s *Server) decide(ctx context.Context, r decision.Request) (decision.Response, error) {
	r.Origin = s.origin(ctx)
	response, err := s.decisions.Decide(ctx, r)
	if err != nil {
		return response, err
	}
	decided, why := summary(response.Answers)
	event.Annotate(ctx, slog.String("decision", decided), slog.String("why", why))
	return response, nil
}

// summary says what was decided and, of the only decision or the first that is no Permit,
// why.
func summary(answers []decision.Answer) (decided, why string) {
	if len(answers) == 1 {
		return answers[0].Decision.Extended(), answers[0].Reason
	}
	counts := map[string]int{}
	for i := range answers {
		counts[answers[i].Decision.String()]++
		if why == "" && answers[i].Decision != xacml.Permit {
			why = answers[i].Reason
		}
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		texts = append(texts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(texts, ", "), why
}

// mayExplain says whether a caller may see how decisions come about.
func mayExplain(c caller.Caller) bool { return c.Has(caller.PolicyWrite) || c.Has(caller.AuditRead) }
