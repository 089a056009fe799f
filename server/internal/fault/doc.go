// Package fault is the error value that crosses every border of the server.
//
// It owns the closed list of kinds and the shape of an error: a kind, a
// machine-readable reason, a sentence that may be shown to the caller, and a cause
// that may not. It refuses transports: server/internal/rpc/rpcstatus turns a kind into a gRPC
// code, gateway/problem turns that into an HTTP problem. Every domain package returns it.
//
// A denial of a request for access is not a fault; see Decision and the answers of Check.
package fault
