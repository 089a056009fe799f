package rpcstatus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
)

func TestEveryKindHasACodeOfItsOwn(t *testing.T) {
	seen := make(map[codes.Code]fault.Kind)
	for k := range fault.Kind(fault.Kinds) {
		code := rpcstatus.Code(k)
		if other, twice := seen[code]; twice {
			t.Errorf("kinds %d and %d are both %s; is one missing from the switch?", other, k, code)
		}
		if code == codes.OK || code == codes.Unknown {
			t.Errorf("kind %d is %s", k, code)
		}
		seen[code] = k
	}
	if got := rpcstatus.Code(fault.Kind(fault.Kinds)); got != codes.Internal {
		t.Errorf("a kind that does not exist is %s, want Internal", got)
	}
}

func TestError(t *testing.T) {
	info := func(reason string, meta map[string]string) *errdetails.ErrorInfo {
		return &errdetails.ErrorInfo{Reason: reason, Domain: "behalf", Metadata: meta}
	}
	violation := func(field, text string) *errdetails.BadRequest {
		return &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: text}}}
	}
	secret := errors.New("password=hunter2")
	denied := fault.New(fault.Denied, fault.ReasonScopeMissing, "needs %s", "x").With("scope", "x")
	const fixed = "internal error; the server's log says more under the request id"
	for name, tc := range map[string]struct {
		err     error
		code    codes.Code
		message string
		details []any
	}{
		"fault":            {denied, codes.PermissionDenied, "needs x", []any{info("SCOPE_MISSING", map[string]string{"scope": "x"})}},
		"wrapped fault":    {fmt.Errorf("open /secret: %w", denied), codes.PermissionDenied, "needs x", []any{info("SCOPE_MISSING", map[string]string{"scope": "x"})}},
		"cause unseen":     {denied.Because(secret), codes.PermissionDenied, "needs x", []any{info("SCOPE_MISSING", map[string]string{"scope": "x"})}},
		"status as cause":  {denied.Because(status.Error(codes.NotFound, "inner")), codes.PermissionDenied, "needs x", []any{info("SCOPE_MISSING", map[string]string{"scope": "x"})}},
		"field":            {fault.Field("user_id", "is %d", 3), codes.InvalidArgument, "user_id: is 3", []any{info("INVALID_ARGUMENT", nil), violation("user_id", "is 3")}},
		"plain":            {secret, codes.Internal, fixed, []any{info("INTERNAL", nil)}},
		"internal fault":   {fault.New(fault.Internal, "X", "the table t has no row").With("k", "v"), codes.Internal, fixed, []any{info("INTERNAL", nil)}},
		"zero fault":       {&fault.Error{Public: "x"}, codes.Internal, fixed, []any{info("INTERNAL", nil)}},
		"unknown kind":     {&fault.Error{Kind: 200, Public: "x"}, codes.Internal, fixed, []any{info("INTERNAL", nil)}},
		"canceled":         {fmt.Errorf("read: %w", context.Canceled), codes.Canceled, "the call was canceled", []any{info("CANCELED", nil)}},
		"deadline":         {fmt.Errorf("read: %w", context.DeadlineExceeded), codes.DeadlineExceeded, "the call's time ran out", []any{info("DEADLINE_EXCEEDED", nil)}},
		"status":           {status.Error(codes.OutOfRange, "as it is"), codes.OutOfRange, "as it is", []any{}},
		"stream's end":     {io.ErrUnexpectedEOF, codes.Internal, fixed, []any{info("INTERNAL", nil)}},
		"bytes, not UTF-8": {fault.New(fault.Invalid, "X", "a\xffb").With("\xff", "\xff"), codes.InvalidArgument, "a�b", []any{info("X", map[string]string{"�": "�"})}},
	} {
		t.Run(name, func(t *testing.T) {
			s, ok := status.FromError(rpcstatus.Error(tc.err))
			if !ok || s.Code() != tc.code || s.Message() != tc.message {
				t.Errorf("got %s %q, want %s %q", s.Code(), s.Message(), tc.code, tc.message)
			}
			if diff := cmp.Diff(tc.details, append([]any{}, s.Details()...), protocmp.Transform()); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
		})
	}
	if err := rpcstatus.Error(nil); err != nil {
		t.Errorf("Error(nil) = %v", err)
	}
}

func TestStatusPassesUnchanged(t *testing.T) {
	want, err := status.New(codes.FailedPrecondition, "x").WithDetails(&errdetails.ErrorInfo{Reason: "THEIRS", Domain: "authzed.com"})
	if err != nil {
		t.Fatal(err)
	}
	got := rpcstatus.Error(want.Err())
	if diff := cmp.Diff(want.Proto(), status.Convert(got).Proto(), protocmp.Transform()); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if r := rpcstatus.Reason(got); r != "THEIRS" {
		t.Errorf("Reason = %q", r)
	}
}

func TestStatusIsBounded(t *testing.T) {
	e := fault.New(fault.Invalid, "X", "%s", strings.Repeat("é", 10_000))
	for range 1000 {
		e.Violations = append(e.Violations, fault.Violation{Field: "f", Message: strings.Repeat("m", 10_000)})
	}
	s := status.Convert(rpcstatus.Error(e))
	if n := len(s.Message()); n > 600 {
		t.Errorf("a message of %d bytes", n)
	}
	bad := s.Details()[1].(*errdetails.BadRequest).GetFieldViolations()
	if last := bad[len(bad)-1].GetDescription(); len(bad) != 17 || last != "and 984 more" {
		t.Errorf("%d violations, the last %q", len(bad), last)
	}
}
