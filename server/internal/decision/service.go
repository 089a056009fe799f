package decision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// ReasonNotRecorded is the reason of a decision that could not be recorded and so did not
// leave.
const ReasonNotRecorded fault.Reason = "DECISION_NOT_RECORDED"

// Config is what a Service needs. Auditor may be nil: then nothing is recorded.
type Config struct {
	Relations   Relations
	Catalogue   *roles.Catalogue
	Policies    Policies
	Parties     Parties
	Roles       Roles
	Packages    Packages
	Delegations Delegations
	AccessLists AccessLists
	Instances   Instances
	Paths       Paths
	Auditor     Auditor
	Logger      *slog.Logger
}

// Service takes decisions. It is safe for concurrent use.
type Service struct {
	relations   Relations
	policies    Policies
	parties     Parties
	roles       Roles
	packages    Packages
	delegations Delegations
	lists       AccessLists
	instances   Instances
	paths       Paths
	auditor     Auditor
	logger      *slog.Logger
	wanting     *wanting
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Relations == nil || c.Catalogue == nil || c.Policies == nil || c.Parties == nil || c.Roles == nil ||
		c.Packages == nil || c.Delegations == nil || c.AccessLists == nil || c.Instances == nil || c.Paths == nil {
		return nil, errors.New("decision: a source is missing")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Service{
		relations: c.Relations, policies: c.Policies, parties: c.Parties, roles: c.Roles, packages: c.Packages,
		delegations: c.Delegations, lists: c.AccessLists, instances: c.Instances, paths: c.Paths,
		auditor: c.Auditor, logger: c.Logger, wanting: newWanting(c.Catalogue),
	}, nil
}

// call is one call of Decide.
type call struct {
	service  *Service
	request  *Request
	response *Response
	now      time.Time
	asked    map[string]instanceAnswer // about instances: several questions are often about one
	records  []Record                  // of the answers so far
}

type instanceAnswer struct {
	instance Instance
	err      error
}

// Decide answers every question of a request, at one revision. A question that cannot be
// answered is Indeterminate alone. The error is for what kept all of them from being asked.
func (s *Service) Decide(ctx context.Context, r Request) (Response, error) {
	ctx, revision, err := s.relations.Pin(ctx, r.At)
	if err != nil {
		return Response{}, fmt.Errorf("fix the revision of a decision: %w", err)
	}
	response := Response{Revision: revision}
	c := &call{service: s, request: &r, response: &response, now: time.Now()}
	questions, err := split(&r)
	if err != nil {
		questions = []xacml.Single{{Fault: err.Error()}}
	}
	response.Answers = make([]Answer, 0, len(questions))
	for _, one := range questions {
		if err := ctx.Err(); err != nil {
			return Response{}, fmt.Errorf("decide: %w", err)
		}
		response.Answers = append(response.Answers, c.answer(ctx, one))
	}
	c.record(ctx)
	response.fold(&r)
	return response, nil
}

// answer answers one question and notes what is to be recorded of it.
func (c *call) answer(ctx context.Context, one xacml.Single) Answer {
	began := time.Now()
	var q *question
	var a Answer
	if one.Fault != "" {
		q = &question{call: c, request: &xacml.Request{}}
		a = c.refuse(ctx, wrong("%s", one.Fault))
	} else {
		q = newQuestion(c, one.Request)
		a = q.decide(ctx)
		if !c.request.Door.altinn() || !a.Decision.Indeterminate() {
			a.Attributes = q.request.Included()
		}
	}
	c.note(q, &a, time.Since(began))
	return a
}

// refuse answers a question that cannot be asked.
func (c *call) refuse(ctx context.Context, r *refusal) Answer {
	if r.cause != nil && fault.KindOf(r.cause) == fault.Internal {
		c.service.logger.ErrorContext(ctx, "a decision failed", "error", r.Error())
	}
	return Answer{Result: r.result(c.request.Door), Reason: r.message, Failed: !r.wrong && r.cause != nil, refused: true}
}

// instance asks for an instance, once per call.
func (c *call) instance(ctx context.Context, id string) (Instance, error) {
	if known, ok := c.asked[id]; ok {
		return known.instance, known.err
	}
	i, found, err := c.service.instances.Instance(ctx, id)
	switch {
	case err != nil:
		err = failed(err, "instance %s could not be asked for", id)
	case !found:
		err = &refusal{message: "no instance " + id + " is known"}
	}
	if c.asked == nil {
		c.asked = map[string]instanceAnswer{}
	}
	c.asked[id] = instanceAnswer{i, err}
	return i, err
}
