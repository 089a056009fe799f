package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/problem"
)

// statuses says what every code becomes. A code that gRPC adds fails the test below until
// somebody has thought about it.
var statuses = map[codes.Code]struct {
	status int
	name   string
}{
	codes.OK:                 {500, "UNKNOWN"},
	codes.Canceled:           {499, "CANCELLED"},
	codes.Unknown:            {500, "UNKNOWN"},
	codes.InvalidArgument:    {400, "INVALID_ARGUMENT"},
	codes.DeadlineExceeded:   {504, "DEADLINE_EXCEEDED"},
	codes.NotFound:           {404, "NOT_FOUND"},
	codes.AlreadyExists:      {409, "ALREADY_EXISTS"},
	codes.PermissionDenied:   {403, "PERMISSION_DENIED"},
	codes.ResourceExhausted:  {429, "RESOURCE_EXHAUSTED"},
	codes.FailedPrecondition: {400, "FAILED_PRECONDITION"},
	codes.Aborted:            {409, "ABORTED"},
	codes.OutOfRange:         {400, "OUT_OF_RANGE"},
	codes.Unimplemented:      {501, "UNIMPLEMENTED"},
	codes.Internal:           {500, "INTERNAL"},
	codes.Unavailable:        {503, "UNAVAILABLE"},
	codes.DataLoss:           {500, "DATA_LOSS"},
	codes.Unauthenticated:    {401, "UNAUTHENTICATED"},
}

func TestEveryCode(t *testing.T) {
	for code := codes.Code(0); !strings.HasPrefix(code.String(), "Code("); code++ {
		want, ok := statuses[code]
		if !ok {
			t.Errorf("%s is not in the table", code)
			continue
		}
		if got := problem.HTTPStatus(code); got != want.status {
			t.Errorf("HTTPStatus(%s) = %d, want %d", code, got, want.status)
		}
		if got := problem.CodeName(code); got != want.name {
			t.Errorf("CodeName(%s) = %s, want %s", code, got, want.name)
		}
	}
	if got := problem.HTTPStatus(codes.Code(4711)); got != 500 {
		t.Errorf("HTTPStatus of a code that gRPC does not define = %d, want 500", got)
	}
	if got := problem.CodeName(codes.Code(4711)); got != "UNKNOWN" {
		t.Errorf("CodeName of a code that gRPC does not define = %s, want UNKNOWN", got)
	}
}

func explained(t *testing.T, code codes.Code) error {
	t.Helper()
	st, err := status.New(code, "what the caller may read").WithDetails(
		&errdetails.ErrorInfo{Reason: "SCOPE_MISSING", Domain: "behalf", Metadata: map[string]string{"scope": "behalf:check"}},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "question.object", Description: "required"}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	return st.Err()
}

func TestFromErrorKeepsWhatTheServerWrote(t *testing.T) {
	got := problem.FromError(explained(t, codes.PermissionDenied))
	want := problem.Problem{
		Status: 403, Detail: "what the caller may read", Code: "PERMISSION_DENIED", Reason: "SCOPE_MISSING",
		Metadata:   map[string]string{"scope": "behalf:check"},
		Violations: []problem.Violation{{Field: "question.object", Message: "required"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problem (-want +got):\n%s", diff)
	}
	if got := problem.FromError(explained(t, codes.Unavailable)); got.Detail != "what the caller may read" {
		t.Errorf("a fault of ours that was written for callers shows %q", got.Detail)
	}
}

func TestFromErrorHidesWhatNobodyWroteForCallers(t *testing.T) {
	secret := "dial tcp 10.0.0.7:5432: connection refused"
	foreign, err := status.New(codes.Internal, secret).WithDetails(&errdetails.ErrorInfo{Reason: "X", Domain: "other", Metadata: map[string]string{"host": secret}})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		errors.New(secret), status.Error(codes.Unavailable, secret), status.Error(codes.Unknown, secret),
		status.Error(codes.Code(99), secret), foreign.Err(), fmt.Errorf("call: %w", errors.New(secret)),
	} {
		p := problem.FromError(err)
		text, _ := json.Marshal(p)
		if strings.Contains(string(text), "10.0.0.7") {
			t.Errorf("%v shows %s", err, text)
		}
		if p.Status < 500 || p.Reason == "" {
			t.Errorf("%v becomes %+v", err, p)
		}
	}
}

func TestFromErrorOfAContext(t *testing.T) {
	for err, want := range map[error]int{context.Canceled: 499, context.DeadlineExceeded: 504} {
		if got := problem.FromError(err).Status; got != want {
			t.Errorf("%v becomes %d, want %d", err, got, want)
		}
	}
}

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	problem.Write(w, r, problem.Invalid("pageSize", "give a number"))
	if w.Code != 400 || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	want := `{"type":"urn:behalf:reason:INVALID_ARGUMENT","title":"Bad Request","status":400,"detail":"pageSize: give a number",` +
		`"code":"INVALID_ARGUMENT","reason":"INVALID_ARGUMENT","violations":[{"field":"pageSize","message":"give a number"}]}`
	if got := w.Body.String(); got != want {
		t.Errorf("body\n%s\nwant\n%s", got, want)
	}
}

func TestChallenge(t *testing.T) {
	unauthenticated := problem.New(401, codes.Unauthenticated, "CREDENTIALS_MISSING", "")
	for _, c := range []struct {
		sent metadata.MD
		want string
	}{
		{nil, "Bearer"},
		{metadata.MD{"authorization": {"Bearer x"}}, `Bearer error="invalid_token"`},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		problem.Write(w, r.WithContext(metadata.NewOutgoingContext(r.Context(), c.sent)), unauthenticated)
		if got := w.Header().Get("WWW-Authenticate"); got != c.want {
			t.Errorf("challenge for %v is %q, want %q", c.sent, got, c.want)
		}
	}
}
