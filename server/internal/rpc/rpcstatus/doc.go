// Package rpcstatus turns an error into the gRPC status that a caller sees.
//
// It owns the one mapping of fault kinds to codes and the details a status carries: an
// ErrorInfo with the reason, and a BadRequest that names the fields that are wrong. It refuses
// to show what nobody classified: such an error is Internal with a fixed sentence. An error that is a status
// already passes as it is, which is how SpiceDB's services answer. Its caller is
// server/internal/rpc/interceptor.
package rpcstatus
