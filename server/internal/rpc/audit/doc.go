// Package audit is the AuditService: it searches what was recorded. With Checks it has checks,
// lists of parties and validations recorded too, as they leave.
//
// It owns the messages of the contract and what is recorded of which call. It refuses SQL and
// sinks, which are server/internal/audit's, and decisions, which the domain has recorded
// itself. The composition root builds it.
package audit
