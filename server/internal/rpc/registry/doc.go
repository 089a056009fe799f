// Package registry is the gRPC RegistryService: it turns requests into calls of
// server/internal/registry and its values into messages.
//
// It owns page tokens and what an absent source means. It refuses to decide anything: scopes
// are checked by server/internal/rpc/interceptor before a call gets here, rules are the
// registry's. The composition root registers it.
package registry
