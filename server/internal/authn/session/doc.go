// Package session logs people in at identity providers and keeps their sessions.
//
// It owns the attempt to log in, the session and its end, the renewal of what a provider has
// given, the key ring that seals it, and which addresses a browser may be sent back to. It
// refuses to know a provider's protocol, which server/internal/authn/provider does, and to decide
// which user somebody is, which its authn.Users do. server/internal/rpc/session asks it to log in
// and out; authn.Authenticator asks it whose a session is. Records are asked of a Store.
//
// A browser holds 256 random bits and nothing else. They are made anew at each login, so that
// nobody can put a session there before it; what is kept is their hash. A session is looked up
// at every request: one that has ended anywhere has ended everywhere.
package session
