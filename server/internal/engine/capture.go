package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/datalayer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Services are SpiceDB's own implementations of authzed.api.v1. A call to one needs a
// context from Engine.Context; everything else that SpiceDB does around a call is the
// caller's duty, see server/internal/rpc/authzed. What would have no end is refused by the
// engine's own service around SpiceDB's, and what takes too much is ended, whoever asks.
type Services struct {
	Permissions  v1.PermissionsServiceServer
	Schema       v1.SchemaServiceServer
	Watch        v1.WatchServiceServer
	Experimental v1.ExperimentalServiceServer
}

// Services returns the captured services.
func (e *Engine) Services() Services { return e.services }

// Context returns a context in which the captured services find SpiceDB's data layer and
// a logger. It fixes the instant at which the call is answered, unless one is fixed already.
func (e *Engine) Context(ctx context.Context) context.Context {
	if !relation.HasInstant(ctx) {
		ctx = relation.WithInstant(ctx, time.Now())
	}
	return e.log.WithContext(datalayer.ContextWithDataLayer(ctx, e.layer))
}

// captureName names the interceptor in SpiceDB's chain. Both chains must have the name.
const captureName = "behalf-capture"

// captureKey marks a call that asks for nothing but the object behind its method. Only a
// connection from Engine.Dial can carry it here.
const captureKey = "x-behalf-capture"

// capture stands in SpiceDB's chain right behind its data layer and keeps what marked
// calls pass by. A marked call ends here: it reads no datastore and needs no schema.
type capture struct {
	mu       sync.Mutex
	services Services
	layer    datalayer.DataLayer
}

func (c *capture) unary() []server.MiddlewareModification[grpc.UnaryServerInterceptor] {
	return []server.MiddlewareModification[grpc.UnaryServerInterceptor]{{
		DependencyMiddlewareName: server.DefaultInternalMiddlewareDatastore,
		Operation:                server.OperationAppend,
		Middlewares: []server.ReferenceableMiddleware[grpc.UnaryServerInterceptor]{{
			Name: captureName,
			Middleware: func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
				if !marked(ctx) {
					return next(ctx, req)
				}
				c.keep(ctx, info.Server)
				return new(emptypb.Empty), nil // an answer without fields is one of any type
			},
		}},
	}}
}

func (c *capture) stream() []server.MiddlewareModification[grpc.StreamServerInterceptor] {
	return []server.MiddlewareModification[grpc.StreamServerInterceptor]{{
		DependencyMiddlewareName: server.DefaultInternalMiddlewareDatastore,
		Operation:                server.OperationAppend,
		Middlewares: []server.ReferenceableMiddleware[grpc.StreamServerInterceptor]{{
			Name: captureName,
			Middleware: func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
				if !marked(stream.Context()) {
					return next(srv, stream)
				}
				c.keep(stream.Context(), srv)
				return nil
			},
		}},
	}}
}

func marked(ctx context.Context) bool {
	return len(metadata.ValueFromIncomingContext(ctx, captureKey)) > 0
}

// keep stores the object.
func (c *capture) keep(ctx context.Context, object any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layer = datalayer.FromContext(ctx)
	switch object := object.(type) {
	case v1.PermissionsServiceServer:
		c.services.Permissions = object
	case v1.SchemaServiceServer:
		c.services.Schema = object
	case v1.WatchServiceServer:
		c.services.Watch = object
	case v1.ExperimentalServiceServer:
		c.services.Experimental = object
	}
}

// run makes one marked call of each service and fails when one was not captured.
func (c *capture) run(ctx context.Context, conn grpc.ClientConnInterface) error {
	ctx = metadata.AppendToOutgoingContext(ctx, captureKey, "1")
	if _, err := v1.NewPermissionsServiceClient(conn).CheckPermission(ctx, &v1.CheckPermissionRequest{}, grpc.WaitForReady(true)); err != nil {
		return fmt.Errorf("capture spicedb's permissions service: %w", err)
	}
	if _, err := v1.NewSchemaServiceClient(conn).ReadSchema(ctx, &v1.ReadSchemaRequest{}); err != nil {
		return fmt.Errorf("capture spicedb's schema service: %w", err)
	}
	if _, err := v1.NewExperimentalServiceClient(conn).ExperimentalCountRelationships(ctx, &v1.ExperimentalCountRelationshipsRequest{}); err != nil {
		return fmt.Errorf("capture spicedb's experimental service: %w", err)
	}
	watch, err := v1.NewWatchServiceClient(conn).Watch(ctx, &v1.WatchRequest{})
	if err == nil {
		_, err = watch.Recv()
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("capture spicedb's watch service: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.services
	if s.Permissions == nil || s.Schema == nil || s.Watch == nil || s.Experimental == nil || c.layer == nil {
		return fmt.Errorf("capture spicedb's services: one did not pass by")
	}
	return nil
}
