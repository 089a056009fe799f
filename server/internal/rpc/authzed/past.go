package authzed

import (
	"context"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// hasConsistency and hasCursor are the requests that can name a state of the past.
type (
	hasConsistency interface{ GetConsistency() *v1.Consistency }
	hasCursor      interface{ GetOptionalCursor() *v1.Cursor }
)

// readPast makes the state ready that a request names by an exact snapshot or a cursor, when
// memory no longer has it. That takes an administrator. It stays until the call ends. A token
// or cursor of another datastore is refused: SpiceDB takes the one for full consistency, and
// the other for one of its own.
func (s *Service) readPast(ctx context.Context, req any) error {
	var (
		consistency *v1.Consistency
		cursor      *v1.Cursor
	)
	if r, ok := req.(hasConsistency); ok {
		consistency = r.GetConsistency()
	}
	if r, ok := req.(hasCursor); ok {
		cursor = r.GetOptionalCursor()
	}
	if err := s.engine.Ours(ctx, consistency, cursor); err != nil {
		return err
	}
	if consistency.GetAtExactSnapshot() == nil && cursor == nil {
		return nil
	}
	return s.engine.Exact(ctx, consistency, cursor, caller.From(ctx).Has(caller.Admin))
}

func (s *Service) pastUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, end := context.WithCancel(ctx) // lets the state go
	defer end()
	if err := s.readPast(ctx, req); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

func (s *Service) pastStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, end := context.WithCancel(stream.Context())
	defer end()
	return handler(srv, &pastStream{&withContext{stream, ctx}, s})
}

// pastStream is a stream whose requests may be about the past, and whose answers may be
// continued from there.
type pastStream struct {
	*withContext
	of *Service
}

// SendMsg sends a message. Its cursor says which datastore it belongs to.
func (s *pastStream) SendMsg(m any) error {
	if answer, ok := m.(interface{ GetAfterResultCursor() *v1.Cursor }); ok && answer.GetAfterResultCursor() != nil {
		if err := s.of.engine.Sign(s.ctx, answer.GetAfterResultCursor()); err != nil {
			return err
		}
	}
	return s.withContext.SendMsg(m)
}

// RecvMsg receives a message and makes ready what it is about.
func (s *pastStream) RecvMsg(m any) error {
	if err := s.withContext.RecvMsg(m); err != nil {
		return err
	}
	return s.of.readPast(s.ctx, m)
}

// bare is the key of a call's stream as it is outside the interceptors of SpiceDB.
type bare struct{}

// withBare returns a context that knows the stream which it is the context of.
func (s *Service) withBare(ctx context.Context, stream grpc.ServerStream) context.Context {
	return context.WithValue(ctx, bare{}, &pastStream{&withContext{stream, ctx}, s})
}

// sender returns what sends answers that are all there already. The interceptors of SpiceDB
// read the clock nine times around each message, for reports that nobody makes, and to end
// the streams that wait too long for the next answer: together they would cost as much as to
// send it.
func sender[Request, Response any](stream grpc.ServerStreamingServer[Response]) grpc.ServerStreamingServer[Response] {
	if bare, ok := stream.Context().Value(bare{}).(*pastStream); ok {
		return &grpc.GenericServerStream[Request, Response]{ServerStream: bare}
	}
	return stream
}
