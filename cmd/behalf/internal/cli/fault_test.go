package cli

import (
	"errors"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestExplain(t *testing.T) {
	c := &client{address: "127.0.0.1:7400"}
	denied, err := status.New(codes.PermissionDenied, "needs the scope behalf:check").WithDetails(&errdetails.ErrorInfo{Reason: "SCOPE_MISSING", Domain: "behalf"})
	if err != nil {
		t.Fatal(err)
	}
	invalid, err := status.New(codes.InvalidArgument, "the request is not valid").WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_ARGUMENT", Domain: "behalf"},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "page_size", Description: "is greater than 10000"}}})
	if err != nil {
		t.Fatal(err)
	}
	busy, err := status.New(codes.Unavailable, "the server is stopping").WithDetails(&errdetails.ErrorInfo{Reason: "UNAVAILABLE", Domain: "behalf"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{denied.Err(), "needs the scope behalf:check (SCOPE_MISSING)"},
		{invalid.Err(), "the request is not valid; page_size: is greater than 10000 (INVALID_ARGUMENT)"},
		{busy.Err(), "the server is stopping (UNAVAILABLE)"},
		{status.Error(codes.Unimplemented, "no such method"), "no such method (Unimplemented)"},
		{
			status.Error(codes.Unavailable, `connection error: desc = "transport: connection refused"`),
			"no server answers at 127.0.0.1:7400; start `behalf serve`, or name another with --address " +
				"(a server with TLS needs --tls or --ca-cert): transport: connection refused",
		},
		{errors.New("file x: cut"), "file x: cut"},
	} {
		if got := c.explain(tc.err); got == nil || got.Error() != tc.want {
			t.Errorf("%v: got %q, want %q", tc.err, got, tc.want)
		}
	}
	if c.explain(nil) != nil {
		t.Error("no error was explained")
	}
}
