package enforce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// question is one request on its way through the rules.
type question struct {
	service    *Service
	grants     grants
	request    Request
	headers    headers
	parameters map[string]string
	who        caller.Caller
	party      party.Party // that he acts for; zero when he acts for none
	revision   relation.Revision
	records    []decision.Record
}

// openPatience is how long a request that everybody may make waits for who asks to be known.
// Gateways give up after a second or two.
const openPatience = time.Second

// identifyOpenly finds out who makes a request that everybody may make. It must not be held
// up when somebody who has to be asked does not answer, and who cannot be told from others
// passes as one of them.
func (q *question) identifyOpenly(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	cookie, err := q.authenticate(ctx)
	if err == nil && cookie && !q.sameSite() {
		q.who = caller.Caller{}
		return
	}
	if err == nil {
		ctx, err = q.pin(ctx, q.grants.some())
	}
	if err == nil {
		err = q.grant(ctx)
	}
	if err != nil {
		q.who = caller.Caller{}
	}
}

// pin fixes the revision of all that is asked about relations and policies, if anything is.
func (q *question) pin(ctx context.Context, asks bool) (context.Context, error) {
	if !asks {
		return ctx, nil
	}
	ctx, revision, err := q.service.relations.Pin(ctx, relation.At{})
	if err != nil {
		return ctx, fmt.Errorf("fix the revision: %w", err)
	}
	q.revision = revision
	return ctx, nil
}

// judge lets the request in, or says why not.
func (q *question) judge(ctx context.Context, r *route) (judgement, error) {
	if o, opens := r.rule.(opener); opens && o.open(q) {
		q.identifyOpenly(ctx)
		return r.rule.judge(ctx, q)
	}
	cookie, err := q.authenticate(ctx)
	switch {
	case err != nil && fault.KindOf(err) == fault.Unauthenticated:
		return judgement{outcome: Unauthenticated, reason: fault.ReasonCredentialsInvalid, message: "the credentials are not valid"}, nil
	case err != nil:
		return judgement{}, fmt.Errorf("find out who asks: %w", err)
	case cookie && !q.sameSite():
		return judgement{reason: ReasonCrossSite, message: "another site sent the request"}, nil
	}
	if ctx, err = q.pin(ctx, r.asks() || q.grants.some()); err != nil {
		return judgement{}, err
	}
	if err := q.grant(ctx); err != nil {
		return judgement{}, err
	}
	j, err := r.judge(ctx, q)
	if err != nil {
		return judgement{}, err
	}
	if err := q.record(ctx); err != nil && j.outcome == Allowed {
		return judgement{}, fault.New(fault.Unavailable, ReasonNotRecorded, "the answer could not be recorded").Because(err)
	}
	return j, nil
}

// judge asks for whom the person acts, and then the route's rule.
func (r *route) judge(ctx context.Context, q *question) (judgement, error) {
	if r.party != nil {
		if j, err := r.party.judge(ctx, q); err != nil || j.outcome != Allowed {
			return j, err
		}
	}
	return r.rule.judge(ctx, q)
}

// asks says whether the route is about relations or policies, so that all that is asked for
// one request has to be answered at one revision.
func (r *route) asks() bool { return r.party != nil || asks(r.rule) }

func asks(r rule) bool {
	switch r := r.(type) {
	case related, decided:
		return true
	case all:
		return anyAsks(r)
	case either:
		return anyAsks(r)
	}
	return false
}

func anyAsks(rules []rule) bool {
	for _, r := range rules {
		if asks(r) {
			return true
		}
	}
	return false
}

// ourCredentials finds out whom the request names by our own credentials, nobody when it
// carries none, and whether a cookie did. A header of credentials counts alone.
func (q *question) ourCredentials(ctx context.Context) (cookie bool, err error) {
	var secret authn.Secret
	if given := q.headers.values["authorization"]; len(given) > 0 {
		if secret, err = authn.FromAuthorization(given); err != nil {
			return false, err
		}
		q.who, err = q.service.authenticator.Authenticate(ctx, secret)
		return false, err
	}
	secret, err = authn.FromCookies(q.headers.values["cookie"], q.service.cookie)
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Reason == fault.ReasonCredentialsMissing {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	q.who, err = q.service.authenticator.Session(ctx, secret)
	return true, err
}

// related asks whether the user has a relation to an object, and notes it for the record.
func (q *question) related(ctx context.Context, object relation.Object, permission string) (bool, error) {
	began := time.Now()
	answers, _, err := q.service.relations.Check(ctx, relation.At{},
		relation.Question{Object: object, Permission: permission, Subject: relation.User(q.who.UserID)})
	if err != nil {
		return false, fmt.Errorf("ask for %s#%s: %w", object, permission, err)
	}
	if len(answers) != 1 {
		return false, fmt.Errorf("%d answers to one question", len(answers))
	}
	if err := answers[0].Err; err != nil {
		return false, fmt.Errorf("ask for %s#%s: %w", object, permission, err)
	}
	record := decision.Record{
		Time: began, Door: decision.Enforcing, Origin: q.origin(),
		Subject:  decision.Subject{User: party.UserID(q.who.UserID)},
		Resource: decision.Resource{Type: object.Type, ID: object.ID},
		Action:   permission, Request: &xacml.Request{},
		Decision: xacml.Deny, Status: xacml.StatusOK, Reason: "the relation does not hold",
		Revision: q.revision, Latency: time.Since(began),
	}
	if n, ok := object.Number(); ok && object.Type == "party" {
		record.Resource.Party = party.ID(n)
	}
	if answers[0].Allowed {
		record.Decision, record.Reason = xacml.Permit, "the relation holds"
	}
	q.records = append(q.records, record)
	return answers[0].Allowed, nil
}

// record has all that was asked about relations recorded. Decisions record themselves.
func (q *question) record(ctx context.Context) error {
	if q.service.auditor == nil || len(q.records) == 0 {
		return nil
	}
	err := q.service.auditor.Record(ctx, q.records)
	if err != nil {
		q.service.logger.ErrorContext(ctx, "an answer could not be recorded", "error", err)
	}
	return err
}
