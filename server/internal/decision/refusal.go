package decision

import (
	"errors"
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// refusal is why a question cannot be answered.
type refusal struct {
	wrong   bool   // the question is wrong or names no policy; else something failed that it needs
	message string // for the developer who asked
	cause   error  // for the log, nil if the message says all
}

// Error implements error.
func (r *refusal) Error() string {
	if r.cause != nil {
		return r.message + ": " + r.cause.Error()
	}
	return r.message
}

// Unwrap returns the cause.
func (r *refusal) Unwrap() error { return r.cause }

// wrong refuses a question for what it says.
func wrong(format string, args ...any) *refusal {
	return &refusal{wrong: true, message: fmt.Sprintf(format, args...)}
}

// failed refuses a question for what it needs and could not be had.
func failed(cause error, format string, args ...any) *refusal {
	message := fmt.Sprintf(format, args...)
	// A fault has a sentence for the caller; any other error may say what it must not read.
	if f, ok := errors.AsType[*fault.Error](cause); ok && f.Kind != fault.Internal {
		message += ": " + f.Public
	}
	return &refusal{message: message, cause: cause}
}

// result is the answer to a question that is refused. Altinn's doors have codes of their
// own: the one of platform components calls everything a syntax error, the other only what
// is not the fault of an argument.
func (r *refusal) result(d Door) xacml.Result {
	code := xacml.StatusProcessingError
	switch {
	case d == Internal,
		d == External && !r.wrong,
		d != External && r.wrong:
		code = xacml.StatusSyntaxError
	}
	return xacml.Unanswered(code, r.message)
}

// asRefusal returns err as the refusal it is.
func asRefusal(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	return failed(err, "the question could not be answered")
}
