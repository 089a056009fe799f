// Package pep enforces Behalf's decisions in a service: middleware for net/http and gRPC that
// finds out who calls, asks whether he may, and lets him in on a Permit with every obligation
// met, and on nothing else.
//
//	guard, err := pep.New(pep.Config{Client: client})
//	mux.Handle("GET /parties/{party}/return", guard.Protect(question, handler))
//
// The client's credentials need the scope behalf:decide. Who calls is read from the bearer token
// of the request by Config.Identify, which by default has Behalf verify it; the handler finds
// him with SubjectFrom.
//
// What is not let in, by HTTP and by gRPC:
//
//	CREDENTIALS_MISSING, CREDENTIALS_INVALID    401  UNAUTHENTICATED
//	LEVEL_TOO_LOW                               401  PERMISSION_DENIED, with required_level
//	REQUEST_INVALID                             400  INVALID_ARGUMENT
//	SUBJECT_UNKNOWN, DENIED, OBLIGATION_UNMET,
//	NO_RULE                                     403  PERMISSION_DENIED
//	UNAVAILABLE                                 503  UNAVAILABLE
//
// A level that is too low is challenged as RFC 9470 says, so that a browser's or program's login
// can step up. Bodies are application/problem+json, and statuses carry an ErrorInfo.
//
// The package owns the last step before a door opens. It refuses to decide anything itself and to
// keep answers: a right that was taken back is gone in the next request. Its callers are
// services.
package pep
