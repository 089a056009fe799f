// Package evaluation is the gRPC EvaluationService, in the terms of OpenID AuthZEN.
//
// It owns the rule whom a question may be about: an end user asks about himself and claims
// nothing about himself, a service asks about anybody. It refuses to decide:
// server/internal/evaluation does. An answer that carries an error permits nothing.
// The composition root registers it.
package evaluation
