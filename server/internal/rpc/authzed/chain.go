package authzed

import (
	"context"

	"github.com/authzed/spicedb/pkg/middleware/consistency"
	"github.com/authzed/spicedb/pkg/middleware/requestid"
	"github.com/authzed/spicedb/pkg/middleware/serverversion"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// extraUnary and extraStream are what SpiceDB's objects bring along for their own
// methods: validation, usage trailers, stream timeouts. An object may bring none.
type (
	extraUnary interface {
		UnaryInterceptor() grpc.UnaryServerInterceptor
	}
	extraStream interface {
		StreamInterceptor() grpc.StreamServerInterceptor
	}
)

// onMismatch is what becomes of a token of another datastore, if one should come this far:
// readPast has refused it. SpiceDB's own server by default answers fully consistent, at a state
// that the token says nothing of.
const onMismatch = consistency.TreatMismatchingTokensAsError

// UnaryInterceptor does for calls of this API what SpiceDB's server would have done, and
// passes all others through. It comes last, behind whatever decides who may call.
func (s *Service) UnaryInterceptor() grpc.UnaryServerInterceptor {
	chain := []grpc.UnaryServerInterceptor{
		requestid.UnaryServerInterceptor(requestid.GenerateIfMissing(true)),
		serverversion.UnaryServerInterceptor(true),
		s.guardUnary,
		s.pastUnary,
		consistency.UnaryServerInterceptor("", onMismatch),
		ownUnary,
	}
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if !ours(info.FullMethod) {
			return handler(ctx, req)
		}
		next := handler
		for i := len(chain) - 1; i >= 0; i-- {
			interceptor, inner := chain[i], next
			next = func(ctx context.Context, req any) (any, error) { return interceptor(ctx, req, info, inner) }
		}
		response, err := next(s.engine.Context(ctx), req)
		return response, asStatus(err)
	}
}

// StreamInterceptor is UnaryInterceptor for streams.
func (s *Service) StreamInterceptor() grpc.StreamServerInterceptor {
	chain := []grpc.StreamServerInterceptor{
		requestid.StreamServerInterceptor(requestid.GenerateIfMissing(true)),
		serverversion.StreamServerInterceptor(true),
		s.bufferImport,
		s.pastStream,
		consistency.StreamServerInterceptor("", onMismatch),
		ownStream,
	}
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if !ours(info.FullMethod) {
			return handler(srv, stream)
		}
		next := handler
		for i := len(chain) - 1; i >= 0; i-- {
			interceptor, inner := chain[i], next
			next = func(srv any, stream grpc.ServerStream) error { return interceptor(srv, stream, info, inner) }
		}
		ctx := s.withBare(s.engine.Context(relation.WithInstantOfFirstUse(stream.Context())), stream)
		return asStatus(next(srv, &withContext{stream, ctx}))
	}
}

func ownUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if object, ok := info.Server.(extraUnary); ok {
		if interceptor := object.UnaryInterceptor(); interceptor != nil {
			return interceptor(ctx, req, info, handler)
		}
	}
	return handler(ctx, req)
}

func ownStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	if object, ok := srv.(extraStream); ok {
		if interceptor := object.StreamInterceptor(); interceptor != nil {
			return interceptor(srv, stream, info, handler)
		}
	}
	return handler(srv, stream)
}

// asStatus gives an error of SpiceDB the status that SpiceDB's own server would have
// given it, which Behalf's interceptors then leave alone. Faults are theirs to translate.
func asStatus(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*fault.Error); ok { //nolint:errorlint // a fault inside SpiceDB's error would be a fault of SpiceDB's
		return err
	}
	s, ok := status.FromError(err)
	if !ok {
		s = status.FromContextError(err)
	}
	return s.Err()
}

// withContext is a stream with another context.
type withContext struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream hands its context out
}

// Context returns the context.
func (s *withContext) Context() context.Context { return s.ctx }
