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
// memory no longer has it. That takes an administrator. It stays until the call ends.
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
	return handler(srv, &pastStream{&withContext{stream, ctx}, s.readPast})
}

// pastStream is a stream whose requests may be about the past.
type pastStream struct {
	*withContext
	readPast func(ctx context.Context, req any) error
}

// RecvMsg receives a message and makes ready what it is about.
func (s *pastStream) RecvMsg(m any) error {
	if err := s.withContext.RecvMsg(m); err != nil {
		return err
	}
	return s.readPast(s.ctx, m)
}
