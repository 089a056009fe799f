package behalf

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

var errTLSAndPlaintext = errors.New("WithTLS and WithPlaintext contradict each other")

// wire puts a deadline and credentials into each call and makes an *Error of what fails.
type wire struct {
	conn        grpc.ClientConnInterface
	timeout     time.Duration
	credentials []grpc.CallOption
}

// Invoke makes a call.
func (w wire) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	ctx, cancel := bounded(ctx, w.timeout)
	defer cancel()
	return typed(w.conn.Invoke(ctx, method, args, reply, append(options, w.credentials...)...))
}

// NewStream begins a call that streams. It has no deadline but that of ctx.
func (w wire) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := w.conn.NewStream(ctx, desc, method, append(options, w.credentials...)...)
	if err != nil {
		return nil, typed(err)
	}
	return typedStream{stream}, nil
}

// typedStream makes an *Error of what breaks a stream.
type typedStream struct{ grpc.ClientStream }

// SendMsg sends a message.
func (s typedStream) SendMsg(m any) error { return typedEnd(s.ClientStream.SendMsg(m)) }

// RecvMsg receives a message.
func (s typedStream) RecvMsg(m any) error { return typedEnd(s.ClientStream.RecvMsg(m)) }

// typedEnd leaves the end of a stream as it is.
func typedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return typed(err)
}

func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has || timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

func credentialsOf(token TokenSource) []grpc.CallOption {
	if token == nil {
		return nil
	}
	return []grpc.CallOption{grpc.PerRPCCredentials(bearer{token})}
}

// bearer sends a token. Whether the connection may be in the clear was decided when it was dialled.
type bearer struct{ source TokenSource }

var _ credentials.PerRPCCredentials = bearer{}

// GetRequestMetadata returns the header with the token.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b.source(valueless{ctx})
	if err != nil {
		// gRPC would call any other error a failed login, which it is not yet.
		return nil, status.Errorf(codes.Unavailable, "get a token: %v", err)
	}
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, status.Error(codes.Unauthenticated, "the token is empty or holds characters that no token has")
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// valueless is a context without its values.
type valueless struct{ context.Context } //nolint:containedctx // it is one

// Value returns nothing.
func (valueless) Value(any) any { return nil }

// RequireTransportSecurity returns false: see bearer.
func (b bearer) RequireTransportSecurity() bool { return false }

// serviceConfig takes all addresses of a name in turn, and makes a call again that found no server.
// Only reads are: of a write it is not known whether it was done, and to do it again could undo
// what somebody else has done since.
func serviceConfig() string {
	type name struct {
		Service string `json:"service"`
		Method  string `json:"method,omitempty"`
	}
	text, err := json.Marshal(map[string]any{
		"loadBalancingConfig": []any{map[string]any{"round_robin": map[string]any{}}},
		"retryThrottling":     map[string]any{"maxTokens": 100, "tokenRatio": 0.1},
		"methodConfig": []any{map[string]any{
			"name": []name{
				{Service: behalfv1.PartyService_ServiceDesc.ServiceName},
				{Service: behalfv1.RoleService_ServiceDesc.ServiceName},
				{Service: behalfv1.CheckService_ServiceDesc.ServiceName},
				{Service: behalfv1.DecisionService_ServiceDesc.ServiceName},
				{Service: behalfv1.DelegationService_ServiceDesc.ServiceName, Method: "ListDelegations"},
				{Service: behalfv1.DelegationService_ServiceDesc.ServiceName, Method: "CheckDelegation"},
				{Service: behalfv1.CallerService_ServiceDesc.ServiceName, Method: "GetCaller"},
			},
			"retryPolicy": map[string]any{
				"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3,
				"retryableStatusCodes": []string{"UNAVAILABLE"},
			},
		}},
	})
	if err != nil {
		return "{}" // cannot be: it is made of texts and numbers
	}
	return string(text)
}
