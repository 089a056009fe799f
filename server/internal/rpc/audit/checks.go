package audit

import (
	"context"
	"errors"
	"strconv"

	authzedv1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// What is recorded of answers that no policy gives.
const (
	permit        = "Permit"
	notApplicable = "NotApplicable"
	indeterminate = "Indeterminate"
	answered      = "Answered"
)

// Recorder records answers.
type Recorder interface {
	Put(ctx context.Context, entries ...audit.Entry) error
}

// Checks records the answers to checks, lists and validations before they leave.
type Checks struct {
	recorder Recorder
	origin   func(context.Context) decision.Origin
}

// NewChecks returns what records by a recorder. origin says where a call came from.
func NewChecks(recorder Recorder, origin func(context.Context) decision.Origin) (*Checks, error) {
	if recorder == nil || origin == nil {
		return nil, errors.New("rpc/audit: a recorder and origin are required")
	}
	return &Checks{recorder, origin}, nil
}

// Unary returns the interceptor of unary calls, before another one.
func (c *Checks) Unary(next grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		var response any
		var err error
		if next == nil {
			response, err = handler(ctx, request)
		} else {
			response, err = next(ctx, request, info, handler)
		}
		if err != nil {
			return response, err
		}
		if err := c.put(ctx, entries(ctx, request, response)); err != nil {
			return nil, err
		}
		return response, nil
	}
}

// Stream returns the interceptor of streams, before another one. What a stream lists is
// recorded when it is asked for: nothing of the answer leaves before.
func (c *Checks) Stream(next grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		stream = &recorded{stream, c}
		if next == nil {
			return handler(server, stream)
		}
		return next(server, stream, info, handler)
	}
}

// recorded is a stream whose questions are recorded.
type recorded struct {
	grpc.ServerStream
	checks *Checks
}

// RecvMsg receives a question and has it recorded.
func (r *recorded) RecvMsg(message any) error {
	if err := r.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return r.checks.put(r.Context(), streamed(message))
}

// put completes and records entries. A call that is of no interest has none.
func (c *Checks) put(ctx context.Context, list []audit.Entry) error {
	if len(list) == 0 {
		return nil
	}
	from := c.origin(ctx)
	for i := range list {
		e := &list[i]
		e.Caller, e.Address, e.Forwarded, e.RequestID = from.Caller, from.Address, from.Forwarded, from.RequestID
	}
	if err := c.recorder.Put(ctx, list...); err != nil {
		return fault.New(fault.Internal, decision.ReasonNotRecorded, "the answer could not be recorded").Because(err)
	}
	return nil
}

// entries returns what is recorded of a unary call that was answered.
func entries(ctx context.Context, request, response any) []audit.Entry {
	who := caller.From(ctx)
	switch req := request.(type) {
	case *behalfv1.CheckRequest:
		if res, ok := response.(*behalfv1.CheckResponse); ok {
			return []audit.Entry{checked(who, req.GetQuestion(), outcome(res.GetAllowed()), res.GetRevision())}
		}
	case *behalfv1.BulkCheckRequest:
		if res, ok := response.(*behalfv1.BulkCheckResponse); ok {
			return bulk(who, req, res)
		}
	case *behalfv1.ValidatePartyRequest:
		if res, ok := response.(*behalfv1.ValidatePartyResponse); ok {
			return []audit.Entry{{
				Kind: audit.Validate, User: user(who, req.GetUserId()), Party: req.GetPartyId(), Action: "represent",
				Decision: outcome(res.GetMayRepresent()), Revision: res.GetRevision(),
			}}
		}
	case *behalfv1.ListPartiesRequest:
		if res, ok := response.(*behalfv1.ListPartiesResponse); ok {
			return []audit.Entry{listed("parties", user(who, req.GetUserId()), 0, len(res.GetParties()), res.GetRevision())}
		}
	case *behalfv1.ListRepresentativesRequest:
		if res, ok := response.(*behalfv1.ListRepresentativesResponse); ok {
			return []audit.Entry{listed("representatives", 0, req.GetPartyId(), len(res.GetRepresentatives()), res.GetRevision())}
		}
	case *behalfv1.ListRolesRequest:
		if res, ok := response.(*behalfv1.ListRolesResponse); ok {
			return []audit.Entry{listed("roles", user(who, req.GetUserId()), req.GetPartyId(), len(res.GetRoles()), res.GetRevision())}
		}
	case *behalfv1.ListAuthorizedPartiesRequest:
		if res, ok := response.(*behalfv1.ListAuthorizedPartiesResponse); ok {
			return []audit.Entry{authorized(who, req, res)}
		}
	case *authzedv1.CheckPermissionRequest:
		if res, ok := response.(*authzedv1.CheckPermissionResponse); ok {
			return []audit.Entry{permission(req.GetResource(), req.GetPermission(), req.GetSubject(), res.GetPermissionship(), res.GetCheckedAt().GetToken())}
		}
	case *authzedv1.CheckBulkPermissionsRequest:
		if res, ok := response.(*authzedv1.CheckBulkPermissionsResponse); ok {
			return bulkPermissions(res)
		}
	}
	return nil
}

// streamed returns what is recorded of the question of a stream.
func streamed(message any) []audit.Entry {
	switch req := message.(type) {
	case *authzedv1.LookupResourcesRequest:
		e := audit.Entry{Kind: audit.List, ResourceType: req.GetResourceObjectType(), Action: req.GetPermission(), Decision: answered}
		e.Subject, e.User = subject(req.GetSubject().GetObject().GetObjectType(), req.GetSubject().GetObject().GetObjectId(), req.GetSubject().GetOptionalRelation())
		return []audit.Entry{e}
	case *authzedv1.LookupSubjectsRequest:
		e := audit.Entry{Kind: audit.List, Subject: req.GetSubjectObjectType(), Action: req.GetPermission(), Decision: answered}
		e.Object(req.GetResource().GetObjectType(), req.GetResource().GetObjectId())
		return []audit.Entry{e}
	}
	return nil
}

func bulk(who caller.Caller, req *behalfv1.BulkCheckRequest, res *behalfv1.BulkCheckResponse) []audit.Entry {
	out := make([]audit.Entry, 0, len(req.GetQuestions()))
	for i, q := range req.GetQuestions() {
		if i >= len(res.GetAnswers()) {
			break
		}
		a := res.GetAnswers()[i]
		result := outcome(a.GetAllowed())
		if a.GetReason() != "" {
			result = indeterminate
		}
		e := checked(who, q, result, res.GetRevision())
		e.Reason = a.GetMessage()
		out = append(out, e)
	}
	return out
}

func checked(who caller.Caller, q *behalfv1.CheckQuestion, result, revision string) audit.Entry {
	e := audit.Entry{Kind: audit.Check, Action: q.GetPermission(), Decision: result, By: "relation", Revision: revision}
	e.Object(q.GetObject().GetType(), q.GetObject().GetId())
	if s := q.GetSubject(); s != nil {
		e.Subject, e.User = subject(s.GetType(), s.GetId(), s.GetRelation())
	} else {
		e.Subject, e.User = subject("user", strconv.FormatInt(who.UserID, 10), "")
	}
	return e
}

func permission(o *authzedv1.ObjectReference, name string, s *authzedv1.SubjectReference, got authzedv1.CheckPermissionResponse_Permissionship, revision string) audit.Entry {
	e := audit.Entry{Kind: audit.Check, Action: name, Decision: notApplicable, By: "relation", Revision: revision}
	switch got { //nolint:exhaustive // all others are a no
	case authzedv1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION:
		e.Decision = permit
	case authzedv1.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION:
		e.Decision, e.Reason = indeterminate, "the caveat lacks some of its context"
	}
	e.Object(o.GetObjectType(), o.GetObjectId())
	e.Subject, e.User = subject(s.GetObject().GetObjectType(), s.GetObject().GetObjectId(), s.GetOptionalRelation())
	return e
}

func bulkPermissions(res *authzedv1.CheckBulkPermissionsResponse) []audit.Entry {
	var out []audit.Entry
	for _, pair := range res.GetPairs() {
		q := pair.GetRequest()
		e := permission(q.GetResource(), q.GetPermission(), q.GetSubject(), pair.GetItem().GetPermissionship(), res.GetCheckedAt().GetToken())
		if pair.GetError() != nil {
			e.Decision = indeterminate
		}
		out = append(out, e)
	}
	return out
}

func authorized(who caller.Caller, req *behalfv1.ListAuthorizedPartiesRequest, res *behalfv1.ListAuthorizedPartiesResponse) audit.Entry {
	s := req.GetSubject()
	e := listed("authorized parties", s.GetUserId(), 0, len(res.GetParties()), res.GetRevision())
	if s == nil {
		e.User = who.UserID
	}
	e.SystemUser, e.SubjectParty, e.SubjectPartyUUID = s.GetSystemUserId(), s.GetParty().GetPartyId(), s.GetParty().GetPartyUuid()
	e.OrgNumber = s.GetParty().GetOrgNumber()
	return e
}

func listed(what string, of, about int64, count int, revision string) audit.Entry {
	return audit.Entry{
		Kind: audit.List, User: of, Party: about, Action: "list " + what, Decision: answered,
		Reason: strconv.Itoa(count) + " " + what, Revision: revision,
	}
}

// user returns whom a question is about: an end user asks about himself.
func user(who caller.Caller, asked int64) int64 {
	if asked == 0 {
		return who.UserID
	}
	return asked
}

func outcome(allowed bool) string {
	if allowed {
		return permit
	}
	return notApplicable
}

// subject returns the text of a subject, and which user it is if it is one.
func subject(kind, id, set string) (text string, user int64) {
	text = kind + ":" + id
	if set != "" {
		return text + "#" + set, 0
	}
	if kind == "user" {
		user, _ = strconv.ParseInt(id, 10, 64) // ids of others' making are of no user of ours
	}
	return text, user
}
