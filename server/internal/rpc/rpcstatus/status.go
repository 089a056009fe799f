package rpcstatus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Domain is the domain of every ErrorInfo: reasons are unique within it.
const Domain = "behalf"

// The reasons of errors that are no faults.
const (
	// ReasonDeadlineExceeded is given when the call's time ran out.
	ReasonDeadlineExceeded fault.Reason = "DEADLINE_EXCEEDED"
	// ReasonCanceled is given when the caller went away.
	ReasonCanceled fault.Reason = "CANCELED"
)

// internalSentence is all that a caller learns of a fault of ours.
const internalSentence = "internal error; the server's log says more under the request id"

// Bounds of what a status carries. It travels in trailers, which proxies limit.
const (
	maxViolations = 16
	maxText       = 512
)

// Error returns err as an error with a gRPC status. A nil error stays nil.
func Error(err error) error {
	if err == nil {
		return nil
	}
	// A fault comes first: a status among its causes is not for the caller.
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return ofFault(e)
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ofFault(fault.New(fault.Deadline, ReasonDeadlineExceeded, "the call's time ran out"))
	case errors.Is(err, context.Canceled):
		return ofFault(fault.New(fault.Canceled, ReasonCanceled, "the call was canceled"))
	}
	return ofFault(&fault.Error{})
}

// Code returns the gRPC code of a kind of fault.
func Code(k fault.Kind) codes.Code {
	switch k {
	case fault.Internal:
		return codes.Internal
	case fault.Invalid:
		return codes.InvalidArgument
	case fault.Unauthenticated:
		return codes.Unauthenticated
	case fault.Denied:
		return codes.PermissionDenied
	case fault.NotFound:
		return codes.NotFound
	case fault.Exists:
		return codes.AlreadyExists
	case fault.Precondition:
		return codes.FailedPrecondition
	case fault.Exhausted:
		return codes.ResourceExhausted
	case fault.Unavailable:
		return codes.Unavailable
	case fault.Unimplemented:
		return codes.Unimplemented
	case fault.OutOfRange:
		return codes.OutOfRange
	case fault.Aborted:
		return codes.Aborted
	case fault.Deadline:
		return codes.DeadlineExceeded
	case fault.Canceled:
		return codes.Canceled
	}
	return codes.Internal // no kind; a test sees to it that every kind has its case
}

// Reason returns the machine-readable reason in the status of err, empty when it has none.
func Reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func ofFault(e *fault.Error) error {
	if Code(e.Kind) == codes.Internal {
		// Whatever else it says was not written for a caller, or by mistake.
		e = &fault.Error{Reason: fault.ReasonInternal, Public: internalSentence}
	}
	details := []protoadapt.MessageV1{errorInfo(e)}
	if len(e.Violations) > 0 {
		details = append(details, badRequest(e.Violations))
	}
	if e.Retry > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.Retry)})
	}
	bare := status.New(Code(e.Kind), shown(e.Public))
	if s, err := bare.WithDetails(details...); err == nil {
		return s.Err()
	}
	return bare.Err()
}

func errorInfo(e *fault.Error) *errdetails.ErrorInfo {
	info := &errdetails.ErrorInfo{Reason: shown(string(e.Reason)), Domain: Domain}
	for name, value := range e.Meta {
		if info.Metadata == nil {
			info.Metadata = make(map[string]string, len(e.Meta))
		}
		info.Metadata[shown(name)] = shown(value)
	}
	return info
}

func badRequest(violations []fault.Violation) *errdetails.BadRequest {
	var b errdetails.BadRequest
	for i, v := range violations {
		if i == maxViolations {
			b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Description: fmt.Sprintf("and %d more", len(violations)-maxViolations),
			})
			break
		}
		b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{
			Field: shown(v.Field), Description: shown(v.Message),
		})
	}
	return &b
}

// shown returns a text that a status can carry: valid UTF-8, which protobuf insists on, of
// bounded length.
func shown(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.ToValidUTF8(text, "�")
}
