package behalf

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reason is the machine-readable reason of an error. Reasons never change their meaning; new ones
// may come. The empty reason is that of an error in which the server had no part.
type Reason string

// Reasons that many calls give. Others are named where they are given, in the contract.
const (
	// ReasonInternal is given for every fault of the server; its log says more.
	ReasonInternal Reason = "INTERNAL"
	// ReasonInvalidArgument is given when a field of the request is wrong; Violations name it.
	ReasonInvalidArgument Reason = "INVALID_ARGUMENT"
	// ReasonCredentialsMissing is given when a call carries no credentials.
	ReasonCredentialsMissing Reason = "CREDENTIALS_MISSING"
	// ReasonCredentialsInvalid is given when a token or key is not valid, or no longer.
	ReasonCredentialsInvalid Reason = "CREDENTIALS_INVALID"
	// ReasonScopeMissing is given when a service lacks the scope that Metadata has as "scope".
	ReasonScopeMissing Reason = "SCOPE_MISSING"
	// ReasonServicesOnly is given when an end user calls what is open to services only.
	ReasonServicesOnly Reason = "SERVICES_ONLY"
	// ReasonOtherUser is given when an end user asks about somebody else.
	ReasonOtherUser Reason = "OTHER_USER"
	// ReasonUserRequired is given when a service does not say which user it asks about.
	ReasonUserRequired Reason = "USER_REQUIRED"
	// ReasonPartyNotFound is given when no record of the party exists.
	ReasonPartyNotFound Reason = "PARTY_NOT_FOUND"
	// ReasonUnknownRole is given when the catalogue has no such role.
	ReasonUnknownRole Reason = "UNKNOWN_ROLE"
	// ReasonUnknownRelation is given when the schema has no such definition, relation or permission.
	ReasonUnknownRelation Reason = "UNKNOWN_RELATION"
	// ReasonInvalidRevision is given when a revision is not one that the server gave.
	ReasonInvalidRevision Reason = "INVALID_REVISION"
	// ReasonInvalidPageToken is given when a page token is not one of the query.
	ReasonInvalidPageToken Reason = "INVALID_PAGE_TOKEN"
	// ReasonETagMismatch is given when what a write expected to find is not what is there.
	ReasonETagMismatch Reason = "ETAG_MISMATCH"
	// ReasonUnavailable is given when the server cannot answer now.
	ReasonUnavailable Reason = "UNAVAILABLE"
)

// Violation names a field of a request and says what is wrong with it.
type Violation struct{ Field, Message string }

// Error is why a call has no answer. Its text is for developers; before showing it to others, mind
// that it may repeat what was asked.
type Error struct {
	// Code is the kind of error. It is codes.Unknown for one of several questions.
	Code codes.Code
	// Reason is the machine-readable reason, empty when the server gave none.
	Reason Reason
	// Message says what is wrong.
	Message string
	// Metadata are values that belong to the reason, such as "scope".
	Metadata map[string]string
	// Violations are the fields that are wrong.
	Violations []Violation

	status error
}

// Error returns what is wrong, with the reason.
func (e *Error) Error() string {
	if e.Reason == "" {
		return "behalf: " + e.Code.String() + ": " + e.Message
	}
	return "behalf: " + string(e.Reason) + ": " + e.Message
}

// Unwrap returns the error as gRPC gave it, nil when it did not.
func (e *Error) Unwrap() error { return e.status }

// ReasonOf returns the reason of the *Error in err, empty when there is none.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

// CodeOf returns the code of the *Error in err, codes.OK for nil and codes.Unknown for any other.
func CodeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return codes.Unknown
}

// typed returns the *Error of what gRPC returned.
func typed(err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	e := &Error{Code: s.Code(), Message: s.Message(), status: err}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason, e.Metadata = Reason(d.GetReason()), d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				e.Violations = append(e.Violations, Violation{v.GetField(), v.GetDescription()})
			}
		}
	}
	return e
}

// typedContext returns the *Error of a context that has ended.
func typedContext(ctx context.Context) error {
	return typed(status.FromContextError(ctx.Err()).Err())
}
