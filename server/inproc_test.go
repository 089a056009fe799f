package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// asked is a service that answers as its function does.
type asked struct {
	healthv1.UnimplementedHealthServer

	check func(context.Context, *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error)
}

// Check answers.
func (a *asked) Check(ctx context.Context, req *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	return a.check(ctx, req)
}

type carried struct{}

// TestChannel holds that a call where it is made is like one by inprocgrpc, which a call with
// another option takes.
func TestChannel(t *testing.T) {
	service := &asked{}
	through := 0
	c := newChannel(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		through++
		_ = grpc.SetHeader(ctx, metadata.Pairs("x-first", "1"))
		return next(ctx, req)
	}, nil, healthv1.Health_Check_FullMethodName)
	healthv1.RegisterHealthServer(c, service)
	client := healthv1.NewHealthClient(c)
	var who peer.Peer
	for name, options := range map[string][]grpc.CallOption{"here": nil, "by inprocgrpc": {grpc.Peer(&who)}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), carried{}, "secret"), time.Minute)
			defer cancel()
			ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", "abc")
			asking := &healthv1.HealthCheckRequest{Service: "s"}
			var during context.Context
			service.check = func(ctx context.Context, req *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
				during = ctx
				_ = grpc.SetHeader(ctx, metadata.Pairs("x-second", "2"))
				p, _ := peer.FromContext(ctx)
				_, limited := ctx.Deadline()
				method, _ := grpc.Method(ctx)
				switch {
				case ctx.Value(carried{}) != nil:
					t.Error("the service sees a value of the caller's context")
				case len(metadata.ValueFromIncomingContext(ctx, "x-request-id")) != 1:
					t.Error("the metadata does not cross")
				case p == nil || p.Addr.Network() != "inproc":
					t.Errorf("the peer is %v", p)
				case !limited:
					t.Error("the deadline does not cross")
				case method != healthv1.Health_Check_FullMethodName:
					t.Errorf("the method is %q", method)
				case req == asking || req.GetService() != "s":
					t.Errorf("the question is %v", req)
				}
				return &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_SERVING}, nil
			}
			before := through
			var header metadata.MD
			answer, err := client.Check(ctx, asking, append(options, grpc.Header(&header))...)
			if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING || through != before+1 {
				t.Errorf("got %v, %v, through the chain %d times", answer, err, through-before)
			}
			if <-during.Done(); ctx.Err() != nil {
				t.Error("the service's context does not end with the call")
			}
			if len(header.Get("x-first")) != 1 || len(header.Get("x-second")) != 1 {
				t.Errorf("headers %v", header)
			}

			header = nil
			service.check = func(context.Context, *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
				return &healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_SERVING}, status.Error(codes.NotFound, "no")
			}
			if answer, err := client.Check(ctx, asking, append(options, grpc.Header(&header))...); status.Code(err) != codes.NotFound || answer != nil || len(header.Get("x-first")) != 1 {
				t.Errorf("a fault gives %v, %v, headers %v", answer, err, header)
			}

			service.check = func(context.Context, *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
				return nil, nil
			}
			if answer, err := client.Check(ctx, asking, options...); status.Code(err) != codes.Internal {
				t.Errorf("no answer gives %v, %v", answer, err)
			}
			if _, err := client.Check(ctx, nil, options...); status.Code(err) != codes.Internal {
				t.Errorf("no question gives %v", err)
			}
			if err := c.Invoke(ctx, "/grpc.health.v1.Health/Other", asking, &healthv1.HealthCheckResponse{}, options...); status.Code(err) != codes.Unimplemented {
				t.Errorf("an unknown method gives %v", err)
			}
		})
	}
}

// TestChannelEndsWithItsCaller holds that a service learns that its caller has gone.
func TestChannelEndsWithItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newChannel(nil, nil, healthv1.Health_Check_FullMethodName)
	healthv1.RegisterHealthServer(c, &asked{check: func(ctx context.Context, _ *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
		cancel()
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}})
	if _, err := healthv1.NewHealthClient(c).Check(ctx, &healthv1.HealthCheckRequest{}); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
}

// TestChannelRefusesWhoIsLate holds that a call whose time is up does not begin.
func TestChannelRefusesWhoIsLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newChannel(nil, nil, healthv1.Health_Check_FullMethodName)
	healthv1.RegisterHealthServer(c, &asked{check: func(context.Context, *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
		t.Error("the service is asked")
		return &healthv1.HealthCheckResponse{}, nil
	}})
	if _, err := healthv1.NewHealthClient(c).Check(ctx, &healthv1.HealthCheckRequest{}); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
}

// TestQuestionsExist holds the names of what runs where it is called to the contract.
func TestQuestionsExist(t *testing.T) {
	for _, method := range questions {
		service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
		if err != nil {
			t.Fatal(err)
		}
		m := d.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
		if m == nil || m.IsStreamingServer() || m.IsStreamingClient() {
			t.Errorf("%s is no unary method", method)
		}
	}
}
