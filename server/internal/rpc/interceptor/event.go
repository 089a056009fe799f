package interceptor

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/event"
	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
)

// RequestID is the metadata key of a request's id, in both directions.
const RequestID = "x-request-id"

// event writes one event and counts the call when it ends.
func (c *Chain) event(ctx context.Context, k *call, next func(context.Context) error) error {
	start := time.Now()
	id := requestID(ctx)
	k.header(RequestID, id)
	err := next(event.With(ctx, k.event))
	took := time.Since(start)
	code := status.Code(err)
	c.metrics.observe(k.method, code, took)
	level := slog.LevelInfo
	switch {
	case ofOurs(err):
		level = slog.LevelError
	case local(ctx): // the gateway writes the event of the request that the call is part of
		level = slog.LevelDebug
	}
	if !c.logger.Enabled(ctx, level) {
		return err
	}
	var room [12]slog.Attr // for most events, on the stack
	attrs := append(room[:0],
		slog.String("method", k.method),
		slog.String("code", code.String()),
		slog.Duration("duration", took),
		slog.String("request_id", id),
		slog.String("peer", peerOf(ctx)),
	)
	attrs = k.event.AppendTo(attrs)
	c.logger.LogAttrs(ctx, level, "request", attrs...)
	return err
}

// ofOurs reports whether the status is of a fault of ours, which someone should look at.
func ofOurs(err error) bool {
	switch status.Code(err) { //nolint:exhaustive // the codes of faults of ours, among all others
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return true
	}
	return false
}

// logged returns what the event says of an error: its reason, and its whole text where
// that is about the server or about who may call. Of other errors the text may repeat
// what was asked, which may be about a person.
func logged(shown, err error) []slog.Attr {
	var attrs []slog.Attr
	if reason := rpcstatus.Reason(shown); reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	switch status.Code(shown) { //nolint:exhaustive // those whose text is logged, among all others
	case codes.Internal, codes.Unknown, codes.DataLoss, codes.Unavailable, codes.DeadlineExceeded,
		codes.Unauthenticated, codes.PermissionDenied:
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}

// requestID returns the id that the caller gave, or a new one when he gave none that can
// be logged as it is.
func requestID(ctx context.Context) string {
	if ids := metadata.ValueFromIncomingContext(ctx, RequestID); len(ids) == 1 && sane(ids[0]) {
		return ids[0]
	}
	return newID()
}

// newID returns a random id of 128 bits and more, in letters of one case.
func newID() string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	var id [26]byte
	_, _ = rand.Read(id[:]) // which does not fail
	for i, b := range id {
		id[i] = letters[b%byte(len(letters))]
	}
	return string(id[:])
}

func sane(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return id != "" && len(id) <= 128
}

// peerOf returns who is at the other end. For a call of the gateway in this process, that
// is whom the gateway says it talks to: it appends him to x-forwarded-for, so only the last
// address is its own word.
func peerOf(ctx context.Context) string {
	if !local(ctx) {
		if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
			return addressOf(p.Addr)
		}
		return ""
	}
	forwarded := metadata.ValueFromIncomingContext(ctx, "x-forwarded-for")
	if len(forwarded) == 0 {
		return inProcess
	}
	hops := strings.Split(forwarded[len(forwarded)-1], ",")
	return strings.TrimSpace(hops[len(hops)-1])
}

// addressOf returns the text of an address. That of TCP is made in one piece.
func addressOf(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok {
		if at := t.AddrPort(); at.IsValid() {
			return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
		}
	}
	return a.String()
}

// inProcess is the network of the in-process channel's peer.
const inProcess = "inproc"

// local reports whether the call comes from this process, where only the gateway makes any.
func local(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	return ok && p.Addr != nil && p.Addr.Network() == inProcess
}

func setUnaryHeader(ctx context.Context) func(key, value string) {
	return func(key, value string) {
		_ = grpc.SetHeader(ctx, metadata.MD{key: {value}}) // fails only when the answer has begun
	}
}

func setStreamHeader(s grpc.ServerStream) func(key, value string) {
	return func(key, value string) {
		_ = s.SetHeader(metadata.MD{key: {value}}) // fails only when the answer has begun
	}
}
