package interceptor_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/event"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

func TestOneEventForEachCall(t *testing.T) {
	f := newFixture(t, nil)
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		f.log.take(t)
		client := behalfv1.NewCheckServiceClient(conn)
		f.checks.check = func(ctx context.Context) (*behalfv1.CheckResponse, error) {
			event.Annotate(ctx, slog.Bool("allowed", false))
			return &behalfv1.CheckResponse{}, nil
		}
		const method = "/behalf.v1.CheckService/Check"
		user := metadata.AppendToOutgoingContext(f.asUser(t), "x-request-id", "abc")
		_, _ = client.Check(user, question())
		_, _ = client.Check(f.asService(t, ""), question())
		_, _ = client.Check(t.Context(), question())
		f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) { return nil, errors.New("disk on fire") }
		_, _ = client.Check(f.asUser(t), question())

		level := "INFO"
		if conn == f.conns["in process"] {
			level = "DEBUG" // the gateway's event of the request is the one to read
		}
		want := []map[string]any{
			{"level": level, "method": method, "code": "OK", "caller": "user", "user_id": 20001337.0, "allowed": false, "request_id": "abc"},
			{"level": level, "method": method, "code": "PermissionDenied", "reason": "SCOPE_MISSING", "caller": "service", "service": "billing",
				"error": "SCOPE_MISSING: the call needs the scope behalf:check"},
			{"level": level, "method": method, "code": "Unauthenticated", "reason": "CREDENTIALS_MISSING",
				"error": "CREDENTIALS_MISSING: the call carries no credentials"},
			{"level": "ERROR", "method": method, "code": "Internal", "reason": "INTERNAL", "caller": "user", "user_id": 20001337.0, "error": "disk on fire"},
		}
		got := f.log.take(t)
		for i, e := range got {
			for _, key := range []string{"time", "duration", "request_id", "peer"} {
				if e[key] == nil || e[key] == "" {
					t.Errorf("event %d has no %s", i, key)
				}
				if key != "request_id" || i > 0 {
					delete(e, key)
				}
			}
			delete(e, "msg")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestPeer(t *testing.T) {
	f := newFixture(t, nil)
	for name, want := range map[string]string{"network": `^127\.0\.0\.1:\d+$`, "in process": `^203\.0\.113\.9$`} {
		f.log.take(t)
		// Only the gateway in this process is believed, and only what it appended itself.
		ctx := metadata.AppendToOutgoingContext(f.asUser(t), "x-forwarded-for", "198.51.100.1, 203.0.113.9")
		if _, err := behalfv1.NewCheckServiceClient(f.conns[name]).Check(ctx, question()); err != nil {
			t.Fatal(err)
		}
		if got, _ := f.log.take(t)[0]["peer"].(string); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: peer %q, want %s", name, got, want)
		}
	}
}

func TestRequestID(t *testing.T) {
	f := newFixture(t, nil)
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		for _, tc := range []struct {
			given []string
			kept  bool
		}{
			{nil, false},
			{[]string{"a1b2-c3d4"}, true},
			{[]string{strings.Repeat("x", 128)}, true},
			{[]string{strings.Repeat("x", 129)}, false},
			{[]string{""}, false},
			{[]string{"a b"}, false},
			{[]string{"one", "two"}, false},
		} {
			ctx := f.asUser(t)
			for _, id := range tc.given {
				ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", id)
			}
			var header metadata.MD
			_, err := behalfv1.NewCheckServiceClient(conn).Check(ctx, question(), grpc.Header(&header))
			got := header.Get("x-request-id")
			if err != nil || len(got) != 1 || got[0] == "" {
				t.Fatalf("%q: got %q, %v", tc.given, got, err)
			}
			if kept := len(tc.given) == 1 && got[0] == tc.given[0]; kept != tc.kept {
				t.Errorf("%q: got %q", tc.given, got)
			}
		}
		// A refused call has one too, and so has a stream.
		var header metadata.MD
		_, err := behalfv1.NewCheckServiceClient(conn).Check(t.Context(), question(), grpc.Header(&header))
		if status.Code(err) != codes.Unauthenticated || len(header.Get("x-request-id")) != 1 {
			t.Errorf("refused: got %v, %v", header, err)
		}
		stream, err := behalfv1.NewRegisterServiceClient(conn).Import(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		header, _ = stream.Header()
		if status.Code(err) != codes.Unauthenticated || len(header.Get("x-request-id")) != 1 {
			t.Errorf("stream: got %v, %v", header, err)
		}
	})
}

func TestMetricsHaveClosedLabels(t *testing.T) {
	f := newFixture(t, nil)
	client := behalfv1.NewCheckServiceClient(f.conns["network"])
	_, _ = client.Check(f.asUser(t), question())
	_, _ = client.Check(f.asUser(t), question())
	_, _ = client.Check(t.Context(), question())
	f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) { return nil, status.Error(99, "x") }
	_, _ = client.Check(f.asUser(t), question())
	for _, method := range []string{"/behalf.v1.CheckService/Made", "/made.Up/Too"} {
		_ = f.conns["network"].Invoke(f.asUser(t), method, &emptypb.Empty{}, &emptypb.Empty{})
	}
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	var timed uint64
	for _, family := range families {
		for _, m := range family.GetMetric() {
			timed += m.GetHistogram().GetSampleCount()
			if m.GetCounter().GetValue() == 0 {
				continue
			}
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	want := map[string]float64{
		"OK /behalf.v1.CheckService/Check":              2,
		"Unauthenticated /behalf.v1.CheckService/Check": 1,
		"unknown /behalf.v1.CheckService/Check":         1,
		"Unimplemented unknown":                         2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("behalf_grpc_requests_total (-want +got):\n%s", diff)
	}
	if timed != 6 {
		t.Errorf("behalf_grpc_request_seconds counts %d calls, want 6", timed)
	}
}

func TestUnknownMethod(t *testing.T) {
	f := newFixture(t, nil)
	const method = "/made.Up/Method"
	err := f.conns["network"].Invoke(t.Context(), method, &emptypb.Empty{}, &emptypb.Empty{})
	wantStatus(t, err, codes.Unauthenticated, "CREDENTIALS_MISSING")
	err = f.conns["network"].Invoke(f.asUser(t), method, &emptypb.Empty{}, &emptypb.Empty{})
	wantStatus(t, err, codes.Unimplemented, "METHOD_UNKNOWN")
}

func TestWhatRunsBehindTheChain(t *testing.T) {
	var ran []string
	f := newFixture(t, func(c *interceptor.Config) {
		c.Unary = func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			ran = append(ran, info.FullMethod)
			return handler(ctx, request)
		}
		c.Stream = func(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			ran = append(ran, info.FullMethod)
			return handler(server, s)
		}
	})
	f.imports.serve = func(grpc.BidiStreamingServer[behalfv1.ImportRequest, behalfv1.ImportResponse]) error { return nil }
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		ran = nil
		client := behalfv1.NewCheckServiceClient(conn)
		_, _ = client.Check(t.Context(), question()) // refused before
		if _, err := client.Check(f.asUser(t), question()); err != nil {
			t.Error(err)
		}
		stream, err := behalfv1.NewRegisterServiceClient(conn).Import(f.asService(t, "behalf:register.write"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = stream.Recv()
		if diff := cmp.Diff([]string{"/behalf.v1.CheckService/Check", "/behalf.v1.RegisterService/Import"}, ran); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
	})
}
