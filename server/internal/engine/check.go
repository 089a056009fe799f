package engine

import (
	"context"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// maxBulk is how many checks SpiceDB takes in one call.
const maxBulk = 10_000

// Check answers questions, all at one revision, in their order. What is wrong with one
// question, an unknown relation for example, is in its answer and spoils no other; the
// error is for what kept all of them from being answered.
func (e *Engine) Check(ctx context.Context, at relation.At, questions ...relation.Question) ([]relation.Answer, relation.Revision, error) {
	answers, revision, head, ok := e.checkHead(ctx, at, questions)
	if ok {
		return answers, revision, nil
	}
	ctx, revision, err := e.atHead(ctx, at, head)
	if err != nil {
		return nil, "", err
	}
	answers = make([]relation.Answer, len(questions))
	var requests []*v1.CheckPermissionRequest
	var places []int // places[i] is the question that requests[i] asks
	walk := e.Walk(ctx)
	for i, q := range questions {
		if allowed, ok := walk.Check(ctx, q); ok {
			answers[i].Allowed = allowed
			continue
		}
		request := checkRequest(q)
		if err := e.validate(request); err != nil {
			answers[i].Err = err
			continue
		}
		requests = append(requests, request)
		places = append(places, i)
	}
	switch len(requests) {
	case 0:
	case 1:
		answers[places[0]], err = e.checkOne(ctx, requests[0])
	default:
		err = e.checkBulk(ctx, requests, places, answers)
	}
	if err == nil {
		err = gone(ctx)
	}
	if err != nil {
		return nil, "", err
	}
	return answers, revision, nil
}

func checkRequest(q relation.Question) *v1.CheckPermissionRequest {
	return &v1.CheckPermissionRequest{
		Resource:   objectReference(q.Object),
		Permission: q.Permission,
		Subject:    subjectReference(q.Subject),
	}
}

// checkOne spares a single question the grouping of the bulk check.
func (e *Engine) checkOne(ctx context.Context, request *v1.CheckPermissionRequest) (relation.Answer, error) {
	response, err := e.services.Permissions.CheckPermission(ctx, request)
	if err != nil {
		err = faultOf(err)
		if forAll(err) {
			return relation.Answer{}, err
		}
		return relation.Answer{Err: err}, nil
	}
	return answer(response.GetPermissionship(), response.GetPartialCaveatInfo()), nil
}

func (e *Engine) checkBulk(ctx context.Context, requests []*v1.CheckPermissionRequest, places []int, answers []relation.Answer) error {
	for len(requests) > 0 {
		n := min(len(requests), maxBulk)
		bulk := &v1.CheckBulkPermissionsRequest{Items: make([]*v1.CheckBulkPermissionsRequestItem, n)}
		for i, r := range requests[:n] {
			bulk.Items[i] = &v1.CheckBulkPermissionsRequestItem{Resource: r.Resource, Permission: r.Permission, Subject: r.Subject}
		}
		response, err := e.services.Permissions.CheckBulkPermissions(ctx, bulk)
		if err != nil {
			return faultOf(err)
		}
		if len(response.GetPairs()) != n {
			return faultOf(fmt.Errorf("check bulk permissions: %d answers to %d questions", len(response.GetPairs()), n))
		}
		for i, pair := range response.GetPairs() {
			if p := pair.GetError(); p != nil {
				err := faultOf(status.FromProto(p).Err())
				if forAll(err) {
					return err
				}
				answers[places[i]].Err = err
				continue
			}
			answers[places[i]] = answer(pair.GetItem().GetPermissionship(), pair.GetItem().GetPartialCaveatInfo())
		}
		requests, places = requests[n:], places[n:]
	}
	return nil
}

// forAll reports whether a fault says nothing about the question that met it.
func forAll(err error) bool {
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable, fault.Deadline, fault.Canceled, fault.OutOfRange, fault.Aborted:
		return true
	case fault.Invalid, fault.Unauthenticated, fault.Denied, fault.NotFound, fault.Exists,
		fault.Precondition, fault.Exhausted, fault.Unimplemented:
		return false
	}
	return true
}

// answer allows on HAS_PERMISSION and on nothing else.
func answer(p v1.CheckPermissionResponse_Permissionship, partial *v1.PartialCaveatInfo) relation.Answer {
	switch p {
	case v1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION:
		return relation.Answer{Allowed: true}
	case v1.CheckPermissionResponse_PERMISSIONSHIP_NO_PERMISSION:
		return relation.Answer{}
	case v1.CheckPermissionResponse_PERMISSIONSHIP_CONDITIONAL_PERMISSION:
		return relation.Answer{Err: fault.New(fault.Precondition, ReasonContextRequired,
			"the answer depends on a caveat's context, which is missing: %q", partial.GetMissingRequiredContext())}
	case v1.CheckPermissionResponse_PERMISSIONSHIP_UNSPECIFIED:
	}
	return relation.Answer{Err: faultOf(fmt.Errorf("spicedb answered a check with %s", p))}
}

func objectReference(o relation.Object) *v1.ObjectReference {
	return &v1.ObjectReference{ObjectType: o.Type, ObjectId: o.ID}
}

func subjectReference(s relation.Subject) *v1.SubjectReference {
	return &v1.SubjectReference{Object: objectReference(s.Object), OptionalRelation: s.Relation}
}
