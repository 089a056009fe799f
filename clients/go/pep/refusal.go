package pep

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// The reasons of refusals, beside those of the client.
const (
	// ReasonDenied is given when the decision is no Permit.
	ReasonDenied behalf.Reason = "DENIED"
	// ReasonLevelTooLow is given when the caller has to log in at a higher level.
	ReasonLevelTooLow behalf.Reason = "LEVEL_TOO_LOW"
	// ReasonObligationUnmet is given when a Permit has an obligation that is unknown here or failed.
	ReasonObligationUnmet behalf.Reason = "OBLIGATION_UNMET"
	// ReasonSubjectUnknown is given when the credentials are good and name nobody who could have rights.
	ReasonSubjectUnknown behalf.Reason = "SUBJECT_UNKNOWN"
	// ReasonRequestInvalid is given when a request does not say what it is about.
	ReasonRequestInvalid behalf.Reason = "REQUEST_INVALID"
	// ReasonNoRule is given when nothing says how a method is protected.
	ReasonNoRule behalf.Reason = "NO_RULE"
)

// Refusal is why somebody is not let in. Its texts are made to be shown to him.
type Refusal struct {
	// Reason is the machine-readable reason.
	Reason behalf.Reason
	// Message says the same to a developer.
	Message string
	// RequiredLevel is the authentication level to log in at, 0 unless that is the reason.
	RequiredLevel int

	cause error
}

// Error returns reason and message.
func (r *Refusal) Error() string { return "pep: " + string(r.Reason) + ": " + r.Message }

// Unwrap returns what led to the refusal, for the log; nil when it was a decision.
func (r *Refusal) Unwrap() error { return r.cause }

// refusalOf returns the refusal in an error. One that is none becomes one that says nothing of it.
func refusalOf(err error) *Refusal {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	return &Refusal{Reason: behalf.ReasonUnavailable, Message: "access could not be decided", cause: err}
}

// callerRefused returns the refusal of somebody whom Behalf would not identify.
func callerRefused(err error) *Refusal {
	if behalf.CodeOf(err) == codes.Unauthenticated {
		return &Refusal{Reason: behalf.ReasonCredentialsInvalid, Message: "the credentials are not valid, or no longer", cause: err}
	}
	return refusalOf(err)
}

// decisionRefused returns the refusal of a request that Behalf would not decide about.
func decisionRefused(ctx context.Context, err error) *Refusal {
	if behalf.CodeOf(err) == codes.InvalidArgument && ctx.Err() == nil {
		return &Refusal{Reason: ReasonRequestInvalid, Message: "the request cannot be decided about", cause: err}
	}
	return refusalOf(err)
}
