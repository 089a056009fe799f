package standin

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// Call is a call that reached a service.
type Call struct {
	Method   string
	Metadata metadata.MD
	Request  proto.Message
}

// Services answer calls with what the test puts into Answer.
//
// A token "user-<id>" is an end user's, "service" is a service's, "policies" that of one
// that may put policies, every other one is refused as the server refuses it.
type Services struct {
	// Answer returns the answer to a call that is not GetCaller; nil means an empty one.
	Answer func(method string, request proto.Message) (proto.Message, error)

	mu       sync.Mutex
	calls    []Call
	notReady error

	behalfv1.UnimplementedPartyServiceServer
	behalfv1.UnimplementedRoleServiceServer
	behalfv1.UnimplementedCheckServiceServer
	behalfv1.UnimplementedRegisterServiceServer
	behalfv1.UnimplementedCallerServiceServer
	behalfv1.UnimplementedDecisionServiceServer
	behalfv1.UnimplementedPolicyServiceServer
	behalfv1.UnimplementedDelegationServiceServer
	behalfv1.UnimplementedEvaluationServiceServer
}

// New returns services and a connection to them.
func New(t testing.TB) (*Services, grpc.ClientConnInterface) {
	t.Helper()
	s := &Services{}
	channel := (&inprocgrpc.Channel{}).WithServerUnaryInterceptor(s.intercept)
	behalfv1.RegisterPartyServiceServer(channel, s)
	behalfv1.RegisterRoleServiceServer(channel, s)
	behalfv1.RegisterCheckServiceServer(channel, s)
	behalfv1.RegisterRegisterServiceServer(channel, s)
	behalfv1.RegisterCallerServiceServer(channel, s)
	behalfv1.RegisterDecisionServiceServer(channel, s)
	behalfv1.RegisterPolicyServiceServer(channel, s)
	behalfv1.RegisterDelegationServiceServer(channel, s)
	behalfv1.RegisterEvaluationServiceServer(channel, s)
	return s, channel
}

// Calls returns the calls so far that got past authentication, GetCaller left out.
func (s *Services) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

func (s *Services) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	method := info.FullMethod[strings.LastIndex(info.FullMethod, "/")+1:]
	caller, err := identify(md)
	if err != nil && method != "ListPolicyRoles" && method != "DescribePolicy" { // which are open to everybody
		return nil, err
	}
	if method == "GetCaller" {
		return caller, nil
	}
	request, _ := req.(proto.Message)
	s.mu.Lock()
	s.calls = append(s.calls, Call{Method: method, Metadata: md, Request: request})
	s.mu.Unlock()
	if s.Answer == nil {
		return handler(ctx, req)
	}
	answer, err := s.Answer(method, request)
	if err == nil && answer == nil {
		return handler(ctx, req)
	}
	return answer, err
}

func identify(md metadata.MD) (*behalfv1.GetCallerResponse, error) {
	sent := md.Get("authorization")
	if len(sent) == 0 {
		return nil, Fault(codes.Unauthenticated, "CREDENTIALS_MISSING", "the call carries no credentials")
	}
	token, _ := strings.CutPrefix(sent[0], "Bearer ")
	if token == "policies" {
		return &behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_SERVICE, Name: "studio", Scopes: []string{"behalf:policy.write"}}, nil
	}
	if token == "service" {
		return &behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_SERVICE, Name: "batch"}, nil
	}
	if id, isUser := strings.CutPrefix(token, "user-"); isUser {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			return &behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_USER, UserId: n}, nil
		}
	}
	return nil, Fault(codes.Unauthenticated, "CREDENTIALS_INVALID", "the token is not valid")
}

// Fault returns an error as the server's services give it.
func Fault(code codes.Code, reason, message string, violations ...*errdetails.BadRequest_FieldViolation) error {
	st, err := status.New(code, message).WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "behalf"})
	if err == nil && len(violations) > 0 {
		st, err = st.WithDetails(&errdetails.BadRequest{FieldViolations: violations})
	}
	if err != nil {
		panic(err)
	}
	return st.Err()
}
