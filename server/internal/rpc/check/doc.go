// Package check is the gRPC CheckService: whether a subject has a permission on an object
// of the live schema, whatever its definition.
//
// It owns the rule whom a question may be about and how a question that cannot be
// answered is told. It refuses to evaluate: server/internal/engine does. An entry that
// carries an error is never allowed. The composition root registers it.
package check
