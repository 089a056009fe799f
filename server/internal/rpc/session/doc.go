// Package session is behalf.v1.SessionService: proto to and from server/internal/authn/session.
//
// It owns the translation and nothing else. It refuses callers no more than the access table
// does, which opens the service to the gateway only. Package server registers it.
package session
