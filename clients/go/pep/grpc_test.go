package pep_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
	"github.com/behalf-authz/behalf/clients/go/pep"
)

// protected serves gRPC's health service behind a guard: to check "write" is to ask to write the
// bakery's return, and to watch is to ask to read it.
func protected(t *testing.T, cfg pep.Config, rules pep.Rules) healthv1.HealthClient {
	t.Helper()
	guard, err := pep.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(guard.Unary(rules)), grpc.StreamInterceptor(guard.Stream(rules)))
	services := health.NewServer()
	for _, service := range []string{"read", "write", "sign", ""} {
		services.SetServingStatus(service, healthv1.HealthCheckResponse_SERVING)
	}
	healthv1.RegisterHealthServer(s, services)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Stop()
		if err := <-ended; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Error(err)
		}
	})
	return healthv1.NewHealthClient(conn)
}

func TestGRPC(t *testing.T) {
	about := behalf.App(testserver.Org, testserver.App).For(testserver.Bakery)
	rules := pep.Rules{
		healthv1.Health_Check_FullMethodName: pep.On(func(_ context.Context, r *healthv1.HealthCheckRequest) (behalf.Request, error) {
			return about.To(r.GetService()), nil
		}),
		healthv1.Health_Watch_FullMethodName: pep.OnStream(func(context.Context) (behalf.Request, error) { return about.To("read"), nil }),
	}
	service, closed := protected(t, pep.Config{Client: client}, rules), protected(t, pep.Config{Client: away(t)}, rules)
	kari, low, ola := tokenOf(t, "kari", 3), tokenOf(t, "kari", 2), tokenOf(t, "ola", 4)
	for name, tc := range map[string]struct {
		service       healthv1.HealthClient
		token, action string
		code          codes.Code
		reason        behalf.Reason
	}{
		"permitted":      {service, low, "read", codes.OK, ""},
		"high enough":    {service, kari, "write", codes.OK, ""},
		"level too low":  {service, low, "write", codes.PermissionDenied, pep.ReasonLevelTooLow},
		"duty unknown":   {service, kari, "sign", codes.PermissionDenied, pep.ReasonObligationUnmet},
		"denied":         {service, ola, "read", codes.PermissionDenied, pep.ReasonDenied},
		"no credentials": {service, "", "read", codes.Unauthenticated, behalf.ReasonCredentialsMissing},
		"bad token":      {service, kari + "x", "read", codes.Unauthenticated, behalf.ReasonCredentialsInvalid},
		"Behalf away":    {closed, kari, "read", codes.Unavailable, behalf.ReasonUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			if tc.token != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+tc.token)
			}
			_, err := tc.service.Check(ctx, &healthv1.HealthCheckRequest{Service: tc.action})
			want(t, err, tc.code, tc.reason)
			if tc.action != "read" {
				return
			}
			stream, err := tc.service.Watch(ctx, &healthv1.HealthCheckRequest{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = stream.Recv()
			want(t, err, tc.code, tc.reason)
		})
	}
}

// TestRules holds that a method without a rule, with the zero rule or with that of another request is
// closed to everybody, and an open one open.
func TestRules(t *testing.T) {
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+tokenOf(t, "kari", 4))
	about := behalf.App(testserver.Org, testserver.App).For(testserver.Bakery).To("read")
	other := pep.On(func(context.Context, string) (behalf.Request, error) { return about, nil })
	for name, rules := range map[string]pep.Rules{
		"none":            nil,
		"zero":            {healthv1.Health_Check_FullMethodName: {}, healthv1.Health_Watch_FullMethodName: {}},
		"another request": {healthv1.Health_Check_FullMethodName: other, healthv1.Health_Watch_FullMethodName: other},
	} {
		service := protected(t, pep.Config{Client: client}, rules)
		_, err := service.Check(ctx, &healthv1.HealthCheckRequest{})
		want(t, err, codes.PermissionDenied, pep.ReasonNoRule)
		stream, err := service.Watch(ctx, &healthv1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = stream.Recv(); err == nil {
			t.Errorf("%s: a stream is open", name)
		}
		want(t, err, codes.PermissionDenied, pep.ReasonNoRule)
	}
	open := protected(t, pep.Config{Client: away(t)}, pep.Rules{healthv1.Health_Check_FullMethodName: pep.Open()})
	if _, err := open.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
}

func want(t *testing.T, err error, code codes.Code, reason behalf.Reason) {
	t.Helper()
	var got behalf.Reason
	var level string
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			got, level = behalf.Reason(info.GetReason()), info.GetMetadata()["required_level"]
		}
	}
	if status.Code(err) != code || got != reason {
		t.Errorf("%v with reason %q, want %s %s", err, got, code, reason)
	}
	if (reason == pep.ReasonLevelTooLow) != strings.Contains(level, "3") {
		t.Errorf("%s asks for level %q", reason, level)
	}
}
