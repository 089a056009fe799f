package event

import (
	"context"
	"math"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// UncountedKey is the metadata by which the gateway tells a server in the same process that a
// call is part of a request whose other call is counted against its caller's rate.
const UncountedKey = "x-behalf-uncounted"

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
	if after := RetryAfter(err); after > 0 {
		From(ctx).RetryAfter = after
	}
	return err
}

// RetryAfter returns when a call that a limit refused may be made again, 0 when it does not say.
func RetryAfter(err error) time.Duration {
	if err == nil || status.Code(err) != codes.ResourceExhausted {
		return 0
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// Seconds returns a delay as the header Retry-After has it: whole seconds, and at least one.
func Seconds(after time.Duration) string {
	return strconv.FormatInt(max(1, int64(math.Ceil(after.Seconds()))), 10)
}
