package authzed

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// feed is the client's side of an import: it gives messages, then ends or stalls.
type feed struct {
	grpc.ServerStream
	ctx      context.Context //nolint:containedctx // a stream hands its context out
	messages int
	stall    bool
}

func (f *feed) Context() context.Context { return f.ctx }

func (f *feed) RecvMsg(m any) error {
	if f.messages == 0 {
		if f.stall {
			<-f.ctx.Done()
			return f.ctx.Err()
		}
		return io.EOF
	}
	f.messages--
	if request, ok := m.(*v1.ImportBulkRelationshipsRequest); ok {
		request.Relationships = []*v1.Relationship{{Relation: "a"}, {Relation: "b"}}
	}
	return nil
}

func TestImportBounds(t *testing.T) {
	info := &grpc.StreamServerInfo{FullMethod: v1.PermissionsService_ImportBulkRelationships_FullMethodName}
	ok := imports{open: make(chan struct{}, 1), idle: time.Minute, tuples: 10, bytes: 1000}
	few, small, hasty := ok, ok, ok
	few.tuples, small.bytes, hasty.idle = 9, 10, time.Millisecond
	full := ok
	full.open = make(chan struct{})
	cases := []struct {
		name   string
		bounds imports
		stall  bool
		reason fault.Reason
	}{
		{"within bounds", ok, false, ""},
		{"too many relationships", few, false, ReasonImportTooLarge},
		{"too many bytes", small, false, ReasonImportTooLarge},
		{"idle", hasty, true, ReasonImportIdle},
		{"too many imports", full, false, ReasonTooManyImports},
	}
	for _, c := range cases {
		s := &Service{imports: c.bounds}
		handled := 0
		ctx, cancel := context.WithCancel(t.Context())
		err := s.bufferImport(nil, &feed{ctx: ctx, messages: 5, stall: c.stall}, info, func(_ any, stream grpc.ServerStream) error {
			for {
				m := new(v1.ImportBulkRelationshipsRequest)
				if err := stream.RecvMsg(m); err != nil {
					return nil //nolint:nilerr // the end of the replay
				}
				handled += len(m.GetRelationships())
			}
		})
		cancel()
		f, _ := errors.AsType[*fault.Error](err)
		switch {
		case c.reason == "" && (err != nil || handled != 10):
			t.Errorf("%s: %d relationships came through, %v", c.name, handled, err)
		case c.reason != "" && (f == nil || f.Reason != c.reason || handled != 0):
			t.Errorf("%s: %d relationships came through, %v; want %s", c.name, handled, err, c.reason)
		}
		if len(c.bounds.open) != 0 {
			t.Errorf("%s: the import is still counted", c.name)
		}
	}
}
