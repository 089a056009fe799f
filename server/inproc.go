package server

import (
	"context"
	"errors"
	"sync"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// questions are the methods whose calls run where they are made: those that are asked all the
// time, and heed their contexts, so that a caller whose time is up does not wait for them.
var questions = []string{
	behalfv1.AuthorizedPartyService_ListAuthorizedParties_FullMethodName,
	behalfv1.CallerService_GetCaller_FullMethodName,
	behalfv1.CheckService_BulkCheck_FullMethodName,
	behalfv1.CheckService_Check_FullMethodName,
	behalfv1.DecisionService_BulkDecide_FullMethodName,
	behalfv1.DecisionService_DecideXACML_FullMethodName,
	behalfv1.DecisionService_Decide_FullMethodName,
	behalfv1.EnforcementService_Authorize_FullMethodName,
	behalfv1.EvaluationService_Evaluate_FullMethodName,
	behalfv1.PartyService_GetParty_FullMethodName,
	behalfv1.PartyService_ListParties_FullMethodName,
	behalfv1.PartyService_ListRepresentatives_FullMethodName,
	behalfv1.PartyService_ValidateParty_FullMethodName,
	behalfv1.RoleService_ListRoles_FullMethodName,
}

// channel is the way from the gateway to the services of the same process. Questions run
// where they are made: a goroutine for each would grow its stack anew through the whole
// chain, which costs more than most answers do. All other calls, and those with options of
// their own, are inprocgrpc's.
type channel struct {
	*inprocgrpc.Channel

	chain  grpc.UnaryServerInterceptor
	direct map[string]unaryMethod // what runs where it is called, by full names; nil until it is registered
}

type unaryMethod struct {
	service any
	handle  grpc.MethodHandler
}

// newChannel returns a channel whose calls pass the chain. Those of the methods run where they
// are made.
func newChannel(unary grpc.UnaryServerInterceptor, stream grpc.StreamServerInterceptor, methods ...string) *channel {
	c := &channel{
		Channel: new(inprocgrpc.Channel).WithServerUnaryInterceptor(unary).WithServerStreamInterceptor(stream).WithCloner(handOver{}),
		chain:   unary,
		direct:  make(map[string]unaryMethod, len(methods)),
	}
	for _, method := range methods {
		c.direct[method] = unaryMethod{}
	}
	return c
}

// RegisterService adds a service.
func (c *channel) RegisterService(desc *grpc.ServiceDesc, service any) {
	c.Channel.RegisterService(desc, service)
	for _, m := range desc.Methods {
		if name := "/" + desc.ServiceName + "/" + m.MethodName; c.has(name) {
			c.direct[name] = unaryMethod{service, m.Handler}
		}
	}
}

func (c *channel) has(method string) bool {
	_, found := c.direct[method]
	return found
}

// Invoke makes a call. What the caller's context carries stays with him, but for his metadata.
func (c *channel) Invoke(ctx context.Context, method string, request, response any, opts ...grpc.CallOption) error {
	m := c.direct[method]
	headers, plain := headersOnly(opts)
	if m.handle == nil || !plain || !sound(request) {
		return c.Channel.Invoke(ctx, method, request, response, opts...)
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	stream := &unaryStream{method: method}
	inside, end := serverContext(ctx, stream)
	defer end() // what the service has begun ends with the call
	answer, err := m.handle(m.service, inside, func(in any) error { return handOver{}.Copy(in, request) }, c.chain)
	header := stream.end()
	for _, to := range headers {
		*to = header
	}
	if err != nil {
		return err
	}
	if !sound(answer) {
		return status.Error(codes.Internal, "the service returned neither an answer nor an error")
	}
	return handOver{}.Copy(response, answer)
}

// headersOnly returns where the caller wants the answer's headers. It is not plain when he
// wants anything else.
func headersOnly(opts []grpc.CallOption) (headers []*metadata.MD, plain bool) {
	for _, option := range opts {
		switch o := option.(type) {
		case grpc.HeaderCallOption:
			headers = append(headers, o.HeaderAddr)
		case grpc.StaticMethodCallOption: // generated clients say so of each call
		default:
			return nil, false
		}
	}
	return headers, true
}

// sound reports whether m is a message, and not the nil of one.
func sound(m any) bool {
	message, ok := m.(proto.Message)
	return ok && message.ProtoReflect().IsValid()
}

// serverContext returns the context of a call's service: it ends with the caller's or by end,
// and has none of his values. It is not made of the caller's, since the context package has a
// goroutine watch every child of a context that it does not know.
func serverContext(caller context.Context, stream *unaryStream) (inside context.Context, end func()) {
	md, _ := metadata.FromOutgoingContext(caller)
	inside = metadata.NewIncomingContext(context.Background(), md)
	inside = peer.NewContext(inside, &peer.Peer{Addr: here{}, AuthInfo: here{}})
	inside = grpc.NewContextWithServerTransportStream(inside, stream)
	var cancel context.CancelFunc
	deadline, timed := caller.Deadline()
	if timed {
		inside, cancel = context.WithDeadline(inside, deadline)
	} else {
		inside, cancel = context.WithCancel(inside)
	}
	stop := context.AfterFunc(caller, func() {
		if !timed || !errors.Is(caller.Err(), context.DeadlineExceeded) { // else inside finds out by itself, and says so
			cancel()
		}
	})
	return inside, func() {
		stop()
		cancel()
	}
}

// here is the address of whoever calls from this process, as inprocgrpc has it.
type here struct{}

// Network returns the name by which the interceptors know calls of this process.
func (here) Network() string { return "inproc" }

// String returns the same for all.
func (here) String() string { return "0" }

// AuthType says that nobody had to prove that he is in this process.
func (here) AuthType() string { return "inproc" }

// unaryStream takes the headers of a call's answer.
type unaryStream struct {
	method string

	mu     sync.Mutex
	header metadata.MD
	ended  bool
}

var errEnded = errors.New("the call has ended")

// Method returns the call's method.
func (s *unaryStream) Method() string { return s.method }

// SetHeader adds headers.
func (s *unaryStream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errEnded
	}
	if s.header == nil {
		s.header = make(metadata.MD, 2)
	}
	for k, v := range md {
		s.header[k] = append(s.header[k], v...)
	}
	return nil
}

// SendHeader adds headers. They are sent with the answer.
func (s *unaryStream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

// SetTrailer drops trailers: whoever wants them is served by inprocgrpc.
func (s *unaryStream) SetTrailer(metadata.MD) error { return nil }

// end returns the headers, to which nothing is added any more.
func (s *unaryStream) end() metadata.MD {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return s.header
}

// handOver copies messages between the gateway and the services of one process. Long lists,
// and what is asked all the time, are handed over instead: whoever has made such a message has
// made it for this call alone, and nobody changes it afterwards.
type handOver struct{ inprocgrpc.ProtoCloner }

// Copy makes out what in is.
func (c handOver) Copy(out, in any) error {
	switch in.(type) {
	case *behalfv1.ListPartiesResponse, *behalfv1.ListRepresentativesResponse,
		*behalfv1.AuthorizeRequest, *behalfv1.AuthorizeResponse,
		*behalfv1.DecideXACMLRequest, *behalfv1.DecideXACMLResponse:
	default:
		return c.ProtoCloner.Copy(out, in)
	}
	from, _ := in.(proto.Message)
	to, ok := out.(proto.Message)
	if !ok || from.ProtoReflect().Descriptor() != to.ProtoReflect().Descriptor() {
		return c.ProtoCloner.Copy(out, in)
	}
	proto.Reset(to)
	from.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		to.ProtoReflect().Set(field, value)
		return true
	})
	return nil
}
