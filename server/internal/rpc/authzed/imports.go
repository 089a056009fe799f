package authzed

import (
	"errors"
	"io"
	"strconv"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// The reasons that imports are refused for.
const (
	// ReasonImportTooLarge is given when an import exceeds what is received for one. The
	// metadata entries "max_relationships" and "max_bytes" say how much that is.
	ReasonImportTooLarge fault.Reason = "IMPORT_TOO_LARGE"
	// ReasonTooManyImports is given when too many imports are being received.
	ReasonTooManyImports fault.Reason = "TOO_MANY_IMPORTS"
	// ReasonImportIdle is given when an import sends nothing for too long.
	ReasonImportIdle fault.Reason = "IMPORT_IDLE"
)

// imports bounds what is received of imports.
type imports struct {
	open   chan struct{} // one entry for each import that is being received or written
	idle   time.Duration
	tuples int
	bytes  int
}

// batch is a message of an import.
type batch interface {
	proto.Message
	GetRelationships() []*v1.Relationship
}

// bufferImport receives an import to its end before SpiceDB sees it. SpiceDB opens its
// transaction first and receives then, so that a client that stalls would keep all
// writers waiting. Other streams pass.
func (s *Service) bufferImport(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	var message func() batch
	switch info.FullMethod {
	case v1.PermissionsService_ImportBulkRelationships_FullMethodName:
		message = func() batch { return new(v1.ImportBulkRelationshipsRequest) }
	case v1.ExperimentalService_BulkImportRelationships_FullMethodName:
		message = func() batch { return new(v1.BulkImportRelationshipsRequest) }
	default:
		return handler(srv, stream)
	}
	select {
	case s.imports.open <- struct{}{}:
		defer func() { <-s.imports.open }()
	default:
		return fault.New(fault.Exhausted, ReasonTooManyImports, "at most %d imports are received at one time", cap(s.imports.open))
	}
	batches, err := s.receive(stream, message)
	if err != nil {
		return err
	}
	return handler(srv, &replay{ServerStream: stream, batches: batches})
}

// receive reads the stream to its end, refusing what the guard refuses as it comes.
func (s *Service) receive(stream grpc.ServerStream, message func() batch) ([]batch, error) {
	var (
		batches       []batch
		tuples, bytes int
		ctx           = stream.Context()
		timer         = time.NewTimer(s.imports.idle)
		received      = make(chan error)
	)
	defer timer.Stop()
	for {
		b := message()
		// When this returns before a message came, the end of the call ends RecvMsg too.
		go func() {
			err := stream.RecvMsg(b)
			select {
			case received <- err:
			case <-ctx.Done():
			}
		}()
		select {
		case err := <-received:
			if errors.Is(err, io.EOF) {
				return batches, nil
			}
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, fault.New(fault.Deadline, ReasonImportIdle, "the import sent nothing for %s", s.imports.idle)
		}
		timer.Reset(s.imports.idle)
		for _, r := range b.GetRelationships() {
			if err := s.guard.tuple(ctx, r); err != nil {
				return nil, err
			}
		}
		tuples += len(b.GetRelationships())
		bytes += proto.Size(b)
		if tuples > s.imports.tuples || bytes > s.imports.bytes {
			return nil, fault.New(fault.Exhausted, ReasonImportTooLarge,
				"an import carries at most %d relationships in %d bytes; split it", s.imports.tuples, s.imports.bytes).
				With("max_relationships", strconv.Itoa(s.imports.tuples)).With("max_bytes", strconv.Itoa(s.imports.bytes))
		}
		batches = append(batches, b)
	}
}

// replay is a stream whose messages were received before.
type replay struct {
	grpc.ServerStream
	batches []batch
}

// RecvMsg hands the next message over and forgets it.
func (r *replay) RecvMsg(m any) error {
	if len(r.batches) == 0 {
		return io.EOF
	}
	next := r.batches[0]
	r.batches[0], r.batches = nil, r.batches[1:]
	switch m := m.(type) {
	case *v1.ImportBulkRelationshipsRequest:
		m.Relationships = next.GetRelationships()
	case *v1.BulkImportRelationshipsRequest:
		m.Relationships = next.GetRelationships()
	}
	return nil
}
