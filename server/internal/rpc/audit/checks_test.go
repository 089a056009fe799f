package audit_test

import (
	"context"
	"errors"
	"testing"

	authzedv1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	rpc "github.com/behalf-authz/behalf/server/internal/rpc/audit"
)

// kept keeps what is recorded, or fails.
type kept struct {
	entries []audit.Entry
	fails   error
}

// Put implements rpc.Recorder.
func (k *kept) Put(_ context.Context, entries ...audit.Entry) error {
	k.entries = append(k.entries, entries...)
	return k.fails
}

func TestWhatIsRecordedOfChecks(t *testing.T) {
	object := &authzedv1.ObjectReference{ObjectType: "party", ObjectId: "50"}
	subject := &authzedv1.SubjectReference{Object: &authzedv1.ObjectReference{ObjectType: "user", ObjectId: "8"}}
	question := &behalfv1.CheckQuestion{Object: &behalfv1.ObjectReference{Type: "party", Id: "50"}, Permission: "represent"}
	for name, c := range map[string]struct {
		request, response any
		want              []audit.Entry
	}{
		"a check of the user himself": {
			&behalfv1.CheckRequest{Question: question}, &behalfv1.CheckResponse{Allowed: true, Revision: "r"},
			[]audit.Entry{{
				Kind: audit.Check, User: 7, Subject: "user:7", ResourceType: "party", Resource: "50", Party: 50, Action: "represent",
				Decision: "Permit", By: "relation", Revision: "r",
			}},
		},
		"several, one without answer": {
			&behalfv1.BulkCheckRequest{Questions: []*behalfv1.CheckQuestion{question, question}},
			&behalfv1.BulkCheckResponse{Revision: "r", Answers: []*behalfv1.BulkCheckAnswer{{}, {Reason: "X", Message: "why"}}},
			[]audit.Entry{
				{Kind: audit.Check, User: 7, Subject: "user:7", ResourceType: "party", Resource: "50", Party: 50, Action: "represent", Decision: "NotApplicable", By: "relation", Revision: "r"},
				{Kind: audit.Check, User: 7, Subject: "user:7", ResourceType: "party", Resource: "50", Party: 50, Action: "represent", Decision: "Indeterminate", By: "relation", Revision: "r", Reason: "why"},
			},
		},
		"SpiceDB's": {
			&authzedv1.CheckPermissionRequest{Resource: object, Permission: "represent", Subject: subject},
			&authzedv1.CheckPermissionResponse{Permissionship: authzedv1.CheckPermissionResponse_PERMISSIONSHIP_HAS_PERMISSION, CheckedAt: &authzedv1.ZedToken{Token: "r"}},
			[]audit.Entry{{
				Kind: audit.Check, User: 8, Subject: "user:8", ResourceType: "party", Resource: "50", Party: 50, Action: "represent",
				Decision: "Permit", By: "relation", Revision: "r",
			}},
		},
		"a validation": {
			&behalfv1.ValidatePartyRequest{PartyId: 50, UserId: 9}, &behalfv1.ValidatePartyResponse{Revision: "r"},
			[]audit.Entry{{Kind: audit.Validate, User: 9, Party: 50, Action: "represent", Decision: "NotApplicable", Revision: "r"}},
		},
		"a list": {
			&behalfv1.ListPartiesRequest{}, &behalfv1.ListPartiesResponse{Parties: make([]*behalfv1.Party, 3), Revision: "r"},
			[]audit.Entry{{Kind: audit.List, User: 7, Action: "list parties", Decision: "Answered", Reason: "3 parties", Revision: "r"}},
		},
		"what is not asked for": {&behalfv1.GetCallerRequest{}, &behalfv1.GetCallerResponse{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, fails := range []error{nil, errors.New("the disk is full")} {
				k := &kept{fails: fails}
				checks, err := rpc.NewChecks(k, func(context.Context) decision.Origin { return decision.Origin{Caller: "user/7"} })
				if err != nil {
					t.Fatal(err)
				}
				ctx := caller.With(t.Context(), caller.Caller{Kind: caller.User, UserID: 7})
				response, err := checks.Unary(nil)(ctx, c.request, &grpc.UnaryServerInfo{}, func(context.Context, any) (any, error) { return c.response, nil })
				for i := range c.want {
					c.want[i].Caller = "user/7"
				}
				if diff := cmp.Diff(c.want, k.entries); diff != "" {
					t.Error(diff)
				}
				if closed := fails != nil && c.want != nil; closed != (response == nil) || closed != (err != nil && fault.KindOf(err) == fault.Internal) {
					t.Errorf("answered %v, %v", response, err)
				}
			}
		})
	}
}
