package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the class of a fault. The zero Kind is Internal: an error nobody
// classified tells the caller nothing. Kinds are append-only.
type Kind uint8

// The kinds.
const (
	Internal        Kind = iota // a fault of ours; the cause is logged and never shown
	Invalid                     // the request is malformed
	Unauthenticated             // who the caller is could not be established
	Denied                      // the caller may not make this call
	NotFound                    // what the call names does not exist
	Exists                      // what the call would create exists
	Precondition                // the state does not allow the call
	Exhausted                   // a limit was reached
	Unavailable                 // try again later
	Unimplemented               // the call is not offered
	OutOfRange                  // a revision or page outside what is kept
	Aborted                     // lost against a concurrent write; try again
	Deadline                    // time ran out
	Canceled                    // the caller went away
)

// Kinds is the number of kinds, for tables that must name them all.
const Kinds = int(Canceled) + 1

// Reason is a machine-readable reason in UPPER_SNAKE_CASE. Reasons are documented
// where they are declared and never change their meaning.
type Reason string

// Violation is one field of a request that is wrong.
type Violation struct {
	Field   string // the field's path in the request, such as question.object.id
	Message string // what is wrong and what would be right
}

// Error is a fault.
type Error struct {
	Kind       Kind
	Reason     Reason
	Public     string            // a sentence that the caller may read
	Meta       map[string]string // names and limits that the caller may read
	Violations []Violation       // for Invalid
	Retry      time.Duration     // for Exhausted: when the same call may succeed, 0 when nobody knows
	cause      error
}

// New returns a fault with a sentence for the caller.
func New(kind Kind, reason Reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Public: fmt.Sprintf(format, args...)}
}

// Field returns an Invalid fault of one field. The message says what would be right.
func Field(field, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{
		Kind:       Invalid,
		Reason:     ReasonInvalidArgument,
		Public:     field + ": " + message,
		Violations: []Violation{{Field: field, Message: message}},
	}
}

// With returns a copy of e with one more entry of metadata.
func (e *Error) With(key, value string) *Error {
	c := *e
	c.Meta = make(map[string]string, len(e.Meta)+1)
	for k, v := range e.Meta {
		c.Meta[k] = v
	}
	c.Meta[key] = value
	return &c
}

// Because returns a copy of e with a cause, which is logged and never shown.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error returns the whole text, cause included. It is for logs, not for callers.
func (e *Error) Error() string {
	text := string(e.Reason) + ": " + e.Public
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of err, Internal when it is not a fault.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
