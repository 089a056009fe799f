// Package authorized is the gRPC AuthorizedPartyService: it turns requests into queries of
// server/internal/authorized and its values into messages.
//
// It owns who may ask about whom: an end user about himself and about organisations whose
// access he administers, a service with a scope about anybody. It refuses to decide anything
// else. The composition root registers it.
package authorized
