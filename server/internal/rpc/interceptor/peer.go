package interceptor

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
)

// Peer returns the address of who is at the other end of a call: of the client, where the
// gateway in this process passes on what it was asked.
func Peer(ctx context.Context) string { return peerOf(ctx) }

// Forwarded returns the chain of addresses that a call says it came along, hearsay but for
// its last entry where the gateway in this process wrote it.
func Forwarded(ctx context.Context) string {
	return strings.Join(metadata.ValueFromIncomingContext(ctx, "x-forwarded-for"), ", ")
}

// GivenRequestID returns the request id that a call brought, empty when it brought none.
func GivenRequestID(ctx context.Context) string {
	if ids := metadata.ValueFromIncomingContext(ctx, RequestID); len(ids) == 1 && sane(ids[0]) {
		return ids[0]
	}
	return ""
}
