// Package identity is behalf.v1.IdentityService: proto to and from server/internal/authn/link.
//
// It owns the translation and nothing else. Who may call is the access table's to say.
// Package server registers it.
package identity
