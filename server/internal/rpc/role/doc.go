// Package role is the gRPC RoleService: it turns requests into questions to
// server/internal/role and the catalogue's values into messages.
//
// It owns the rule whom a call asks about and refuses to decide anything else; scopes and
// statuses are server/internal/rpc/interceptor's. The composition root registers it.
package role
