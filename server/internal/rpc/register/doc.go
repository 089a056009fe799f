// Package register is the gRPC RegisterService: it turns requests into writes of
// server/internal/register and its values into messages.
//
// It owns the protocol of an import's stream: the header first, then batches, an end to
// waiting for a client that has stopped sending. It refuses to decide anything else: the
// scope is checked by server/internal/rpc/interceptor before a call gets here, errors become
// statuses there. The composition root registers it.
package register
