package interceptor_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/event"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

func TestOrder(t *testing.T) {
	f := newFixture(t, nil)
	invalid := &behalfv1.CheckRequest{}
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		client := behalfv1.NewCheckServiceClient(conn)
		register := behalfv1.NewRegisterServiceClient(conn)
		// What is wrong further out is said first, though all that is further in is wrong too.
		_, err := client.Check(t.Context(), invalid)
		wantStatus(t, err, codes.Unauthenticated, "CREDENTIALS_MISSING")
		_, err = client.Check(f.asService(t, "behalf:decide"), invalid)
		s := wantStatus(t, err, codes.PermissionDenied, "SCOPE_MISSING")
		if got := s.Details()[0].(*errdetails.ErrorInfo).GetMetadata()["scope"]; got != "behalf:check" {
			t.Errorf("the scope named is %q", got)
		}
		_, err = register.PutParty(f.asUser(t), &behalfv1.PutPartyRequest{})
		wantStatus(t, err, codes.PermissionDenied, "SERVICES_ONLY")
		_, err = client.Check(f.asService(t, "behalf:check"), invalid)
		wantStatus(t, err, codes.InvalidArgument, "INVALID_ARGUMENT")
		for _, who := range []context.Context{f.asUser(t), f.asService(t, "behalf:check"), f.asService(t, "behalf:admin x")} {
			if r, err := client.Check(who, question()); err != nil || !r.GetAllowed() {
				t.Errorf("got %v, %v", r, err)
			}
		}
	})
}

func TestCredentials(t *testing.T) {
	f := newFixture(t, nil)
	token, err := f.issuer.Sign(map[string]any{"urn:altinn:userid": 1})
	if err != nil {
		t.Fatal(err)
	}
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		for _, tc := range []struct {
			values []string
			reason string
		}{
			{nil, "CREDENTIALS_MISSING"},
			{[]string{""}, "CREDENTIALS_INVALID"},
			{[]string{"Bearer"}, "CREDENTIALS_INVALID"},
			{[]string{"Basic " + token}, "CREDENTIALS_INVALID"},
			{[]string{token}, "CREDENTIALS_INVALID"},
			{[]string{"Bearer " + token + " x"}, "CREDENTIALS_INVALID"},
			{[]string{"Bearer " + token + ",Bearer " + token}, "CREDENTIALS_INVALID"},
			{[]string{"Bearer " + token, "Bearer " + token}, "CREDENTIALS_INVALID"},
			{[]string{"Bearer " + token[:len(token)-8]}, "CREDENTIALS_INVALID"},
			{[]string{"bearer " + token}, ""},
		} {
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": tc.values})
			_, err := behalfv1.NewCheckServiceClient(conn).Check(ctx, question())
			if tc.reason == "" {
				if err != nil {
					t.Errorf("%d values: %v", len(tc.values), err)
				}
				continue
			}
			s := wantStatus(t, err, codes.Unauthenticated, tc.reason)
			if strings.Contains(s.String(), token[:20]) {
				t.Error("the status repeats the token")
			}
		}
	})
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	if strings.Contains(f.log.b.String(), token[:20]) {
		t.Error("the log repeats the token")
	}
}

func TestCallerReachesTheHandler(t *testing.T) {
	f := newFixture(t, nil)
	var got caller.Caller
	f.checks.check = func(ctx context.Context) (*behalfv1.CheckResponse, error) {
		got = caller.From(ctx)
		return &behalfv1.CheckResponse{}, nil
	}
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		if _, err := behalfv1.NewCheckServiceClient(conn).Check(f.asUser(t), question()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(caller.Caller{Kind: caller.User, UserID: 20001337, Level: 3}, got); diff != "" {
			t.Errorf("caller (-want +got):\n%s", diff)
		}
	})
}

func TestViolationsNameTheFields(t *testing.T) {
	f := newFixture(t, nil)
	request := question()
	request.Question.Object.Type, request.Question.Object.Id = "PARTY", ""
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		_, err := behalfv1.NewCheckServiceClient(conn).Check(f.asUser(t), request)
		s := wantStatus(t, err, codes.InvalidArgument, "INVALID_ARGUMENT")
		var fields []string
		for _, v := range s.Details()[1].(*errdetails.BadRequest).GetFieldViolations() {
			fields = append(fields, v.GetField())
			if v.GetDescription() == "" {
				t.Errorf("nothing is said of %s", v.GetField())
			}
		}
		if diff := cmp.Diff([]string{"question.object.type", "question.object.id"}, fields); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		if !strings.HasPrefix(s.Message(), "question.object.type: ") {
			t.Errorf("message %q", s.Message())
		}
	})
}

func TestStream(t *testing.T) {
	f := newFixture(t, nil)
	f.imports.serve = func(s grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error {
		if c := caller.From(s.Context()); c.Name != "billing" {
			return fault.New(fault.Precondition, "NO_CALLER", "the caller is %v", c)
		}
		event.Annotate(s.Context(), slog.Int("records", 0))
		for {
			if _, err := s.Recv(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		send := func(ctx context.Context, requests ...*behalfv1.ImportRequest) error {
			stream, err := behalfv1.NewRegisterServiceClient(conn).Import(ctx)
			if err != nil {
				return err
			}
			for _, r := range requests {
				if err := stream.Send(r); err != nil {
					break // the answer says why
				}
			}
			if err := stream.CloseSend(); err != nil {
				return err
			}
			if _, err = stream.Recv(); errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		wantStatus(t, send(t.Context()), codes.Unauthenticated, "CREDENTIALS_MISSING")
		wantStatus(t, send(f.asUser(t)), codes.PermissionDenied, "SERVICES_ONLY")
		wantStatus(t, send(f.asService(t, "behalf:check")), codes.PermissionDenied, "SCOPE_MISSING")
		importer := f.asService(t, "behalf:register.write")
		if err := send(importer); err != nil {
			t.Errorf("an empty stream: %v", err)
		}
		wantStatus(t, send(importer, &behalfv1.ImportRequest{}), codes.InvalidArgument, "INVALID_ARGUMENT")
	})
}

func TestPanicIsInternalAndTheServerLives(t *testing.T) {
	f := newFixture(t, nil)
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		f.log.take(t)
		f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) { panic("the secret sauce") }
		f.imports.serve = func(grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error {
			panic(errors.New("the secret sauce"))
		}
		client := behalfv1.NewCheckServiceClient(conn)
		_, err := client.Check(f.asUser(t), question())
		if s := wantStatus(t, err, codes.Internal, "INTERNAL"); strings.Contains(s.String(), "sauce") {
			t.Errorf("the caller learns %q", s)
		}
		stream, err := behalfv1.NewRegisterServiceClient(conn).Import(f.asService(t, "behalf:register.write"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		wantStatus(t, err, codes.Internal, "INTERNAL")

		events := f.log.take(t)
		if len(events) != 2 {
			t.Fatalf("%d events, want 2", len(events))
		}
		for _, e := range events {
			stack, _ := e["stack"].(string)
			if e["level"] != "ERROR" || e["panic"] != "the secret sauce" || !strings.Contains(stack, "chain_test.go") {
				t.Errorf("event %v", e)
			}
		}
		f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) { return &behalfv1.CheckResponse{}, nil }
		if _, err := client.Check(f.asUser(t), question()); err != nil {
			t.Errorf("after a panic: %v", err)
		}
	})
}

func TestErrorsOfHandlers(t *testing.T) {
	f := newFixture(t, nil)
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		for _, tc := range []struct {
			err    error
			code   codes.Code
			reason string
		}{
			{errors.New("disk on fire"), codes.Internal, "INTERNAL"},
			{fault.New(fault.NotFound, fault.ReasonPartyNotFound, "no such party"), codes.NotFound, "PARTY_NOT_FOUND"},
			{status.Error(codes.OutOfRange, "SpiceDB says so"), codes.OutOfRange, ""},
		} {
			f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) {
				return &behalfv1.CheckResponse{Allowed: true}, tc.err
			}
			_, err := behalfv1.NewCheckServiceClient(conn).Check(f.asUser(t), question())
			wantStatus(t, err, tc.code, tc.reason)
		}
	})
}

func TestDeadline(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Timeout = time.Hour })
	var left time.Duration
	f.checks.check = func(ctx context.Context) (*behalfv1.CheckResponse, error) {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return &behalfv1.CheckResponse{}, nil
	}
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		client := behalfv1.NewCheckServiceClient(conn)
		if _, err := client.Check(f.asUser(t), question()); err != nil || left > time.Hour || left < 50*time.Minute {
			t.Errorf("without a deadline of the caller's: %v left, %v", left, err)
		}
		ctx, cancel := context.WithTimeout(f.asUser(t), 20*time.Minute)
		defer cancel()
		if _, err := client.Check(ctx, question()); err != nil || left > 20*time.Minute {
			t.Errorf("with one: %v left, %v", left, err)
		}
	})
}

func TestDeadlinePasses(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Timeout = time.Millisecond })
	f.checks.check = func(ctx context.Context) (*behalfv1.CheckResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		_, err := behalfv1.NewCheckServiceClient(conn).Check(f.asUser(t), question())
		wantStatus(t, err, codes.DeadlineExceeded, "DEADLINE_EXCEEDED")
	})
}

func TestConcurrentCallsAreBounded(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Concurrent = 1 })
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		entered, leave := make(chan struct{}), make(chan struct{})
		f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) {
			entered <- struct{}{}
			<-leave
			return &behalfv1.CheckResponse{}, nil
		}
		client := behalfv1.NewCheckServiceClient(conn)
		first := make(chan error)
		go func() {
			_, err := client.Check(f.asUser(t), question())
			first <- err
		}()
		<-entered
		_, err := client.Check(f.asUser(t), question())
		wantStatus(t, err, codes.ResourceExhausted, "TOO_MANY_CALLS")
		close(leave)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}
