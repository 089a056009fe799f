package pep

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// Rule says how a method is protected. Make one with On, OnStream or Open; the zero Rule lets
// nobody in.
type Rule struct {
	open bool
	ask  func(ctx context.Context, request any) (behalf.Request, error)
}

// Rules are the rules of methods, by their full names. A method without a rule is closed.
type Rules map[string]Rule

// Open lets everybody in, with credentials or without.
func Open() Rule { return Rule{open: true} }

// On protects a method by what its request, of type Q, wants to do. A stream has none when it begins,
// and is refused.
func On[Q any](question func(ctx context.Context, request Q) (behalf.Request, error)) Rule {
	return Rule{ask: func(ctx context.Context, request any) (behalf.Request, error) {
		q, ok := request.(Q)
		if !ok {
			return behalf.Request{}, &Refusal{Reason: ReasonNoRule, Message: fmt.Sprintf("no rule is for a %T", request)}
		}
		return question(ctx, q)
	}}
}

// OnStream protects a method by what is known when it is called, such as its metadata.
func OnStream(question func(ctx context.Context) (behalf.Request, error)) Rule {
	return Rule{ask: func(ctx context.Context, _ any) (behalf.Request, error) { return question(ctx) }}
}

// Unary returns the interceptor that enforces rules on calls.
func (g *Guard) Unary(rules Rules) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		ctx, err := g.enter(ctx, rules[info.FullMethod], request)
		if err != nil {
			return nil, err
		}
		return next(ctx, request)
	}
}

// Stream returns the interceptor that enforces rules on streams, once, when they begin.
func (g *Guard) Stream(rules Rules) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		ctx, err := g.enter(stream.Context(), rules[info.FullMethod], nil)
		if err != nil {
			return err
		}
		return next(server, admitted{stream, func() context.Context { return ctx }})
	}
}

// admitted is a stream with the context of who was let in.
type admitted struct {
	grpc.ServerStream
	context func() context.Context
}

// Context returns the context.
func (a admitted) Context() context.Context { return a.context() }

func (g *Guard) enter(ctx context.Context, rule Rule, request any) (context.Context, error) {
	switch {
	case rule.open:
		return ctx, nil
	case rule.ask == nil:
		return nil, g.statusOf(ctx, &Refusal{Reason: ReasonNoRule, Message: "nobody may call this method"})
	}
	entered, err := g.admit(ctx, metadata.ValueFromIncomingContext(ctx, "authorization"), func() (behalf.Request, error) {
		return rule.ask(ctx, request)
	})
	if err != nil {
		return nil, g.statusOf(ctx, err)
	}
	return entered, nil
}

// statusOf returns the status of a refusal. It is never OK.
func (g *Guard) statusOf(ctx context.Context, err error) error {
	refusal := g.refuse(ctx, err)
	info := &errdetails.ErrorInfo{Reason: string(refusal.Reason), Domain: "behalf"}
	if refusal.RequiredLevel > 0 {
		info.Metadata = map[string]string{
			"required_level": strconv.Itoa(refusal.RequiredLevel),
			"acr_values":     g.acr(refusal.RequiredLevel),
		}
	}
	bare := status.New(grpcCode(refusal.Reason), refusal.Message)
	if s, err := bare.WithDetails(info); err == nil {
		return s.Err()
	}
	return bare.Err()
}

func grpcCode(reason behalf.Reason) codes.Code {
	switch reason {
	case behalf.ReasonCredentialsMissing, behalf.ReasonCredentialsInvalid:
		return codes.Unauthenticated
	case ReasonRequestInvalid:
		return codes.InvalidArgument
	case behalf.ReasonUnavailable:
		return codes.Unavailable
	default:
		return codes.PermissionDenied
	}
}
