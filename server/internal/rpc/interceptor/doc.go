// Package interceptor is what every call passes before its handler, whether it comes over
// the network or from the gateway in the same process.
//
// It owns the order: event, recover, status, authn, meter, access, limit, validate. Outermost is
// the event, so that every call leaves one; then recover, so that no panic ends the
// process and the event tells of it; then status, so that whatever any part inside returns
// becomes one status. Who calls is established before anything is said about the call; who makes
// more calls than he may is refused at once; and what he may do comes before his message is
// looked at. It owns the table of who may call which
// method, and refuses to know what a call is about: whether an end user asks about himself
// is decided by the services, with caller.Subject.
//
// server.New makes one Chain and gives its Unary and Stream to the gRPC server and to the
// in-process channel. What runs behind the chain for single services, such as what SpiceDB's
// services expect, is Config.Unary and Config.Stream.
package interceptor
