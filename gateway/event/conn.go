package event

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// callerHeader is the header in which a server in the same process says whom it took the
// caller for. It never leaves the process: no door passes headers of calls on.
const callerHeader = "x-behalf-caller"

// Conn notes in the request's event who the caller is. A request is one event, whatever the
// number of calls behind it, so what the calls establish has to come back to it.
type Conn struct{ grpc.ClientConnInterface }

// Invoke makes the call.
func (c Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	var header metadata.MD
	err := c.ClientConnInterface.Invoke(ctx, method, args, reply, append(opts, grpc.Header(&header))...)
	if who := header.Get(callerHeader); len(who) == 1 {
		From(ctx).Caller = who[0]
	}
	return err
}
