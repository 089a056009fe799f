// Package caller is the authenticated identity of a call, carried in the context.
//
// It owns the identity's shape, the scopes that services have and the rules that follow
// from both: whom a call may ask about. It refuses credentials: server/internal/authn establishes
// identities, server/internal/rpc/interceptor puts them into the context, services read them.
package caller
