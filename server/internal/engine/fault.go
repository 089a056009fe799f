package engine

import (
	"context"
	"errors"
	"maps"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Reasons that the engine gives. Faults for which SpiceDB has a reason of its own, and
// which are not named here or in package fault, carry that reason without its prefix:
// see ErrorReason in authzed/api/v1/error_reason.proto.
const (
	// ReasonContextRequired is given for a question whose answer depends on caveats, whose
	// context the question does not carry.
	ReasonContextRequired fault.Reason = "CONTEXT_REQUIRED"
	// ReasonSchemaConflict is given when the schema cannot be brought to where it should be.
	ReasonSchemaConflict fault.Reason = "SCHEMA_CONFLICT"
	// ReasonFailedPrecondition is given when the state does not allow the call, for a
	// reason that the message says.
	ReasonFailedPrecondition fault.Reason = "FAILED_PRECONDITION"
	// ReasonExists is given when what the call would create exists.
	ReasonExists fault.Reason = "ALREADY_EXISTS"
	// ReasonAborted is given when a write lost against a concurrent one.
	ReasonAborted fault.Reason = "ABORTED"
	// ReasonExhausted is given when a limit was reached.
	ReasonExhausted fault.Reason = "RESOURCE_EXHAUSTED"
	// ReasonUnimplemented is given when SpiceDB does not offer the call.
	ReasonUnimplemented fault.Reason = "UNIMPLEMENTED"
	// ReasonDeadline is given when time ran out.
	ReasonDeadline fault.Reason = "DEADLINE_EXCEEDED"
	// ReasonCanceled is given when the caller went away.
	ReasonCanceled fault.Reason = "CANCELED"
)

// reasonPrefix is what all names of SpiceDB's reasons begin with.
const reasonPrefix = "ERROR_REASON_"

// faultOf translates an error of SpiceDB into a fault, by its gRPC status and the reason
// in its details, never by its text. Only texts that SpiceDB means for its callers become
// public.
func faultOf(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	s, ok := status.FromError(err)
	if !ok {
		s = status.FromContextError(err)
	}
	t := translationOf(s.Code())
	f := &fault.Error{Kind: t.kind, Reason: t.reason, Public: t.public}
	if t.public == "" {
		f.Public = s.Message()
		if reason, meta := reasonOf(s); reason != "" {
			f.Reason, f.Meta = reason, meta
		}
	}
	return f.Because(err)
}

// translation is what becomes of a gRPC code: the reason where SpiceDB gives none, and
// the public text where SpiceDB's own is not for callers.
type translation struct {
	kind   fault.Kind
	reason fault.Reason
	public string
}

// translationOf knows the codes that SpiceDB answers with. Every other code is a fault of ours.
func translationOf(c codes.Code) translation {
	known := map[codes.Code]translation{
		codes.InvalidArgument:    {kind: fault.Invalid, reason: fault.ReasonInvalidArgument},
		codes.FailedPrecondition: {kind: fault.Precondition, reason: ReasonFailedPrecondition},
		codes.NotFound:           {kind: fault.Precondition, reason: fault.ReasonUnknownRelation}, // no schema yet
		codes.OutOfRange:         {kind: fault.OutOfRange, reason: fault.ReasonInvalidRevision},
		codes.AlreadyExists:      {kind: fault.Exists, reason: ReasonExists},
		codes.Aborted:            {kind: fault.Aborted, reason: ReasonAborted, public: "the write lost against another one; try again"},
		codes.ResourceExhausted:  {kind: fault.Exhausted, reason: ReasonExhausted},
		codes.Unimplemented:      {kind: fault.Unimplemented, reason: ReasonUnimplemented},
		codes.Unavailable:        {kind: fault.Unavailable, reason: fault.ReasonUnavailable, public: "the relation engine cannot answer now"},
		codes.DeadlineExceeded:   {kind: fault.Deadline, reason: ReasonDeadline, public: "the relation engine did not answer in time"},
		codes.Canceled:           {kind: fault.Canceled, reason: ReasonCanceled, public: "the call was canceled"},
	}
	if t, ok := known[c]; ok {
		return t
	}
	return translation{kind: fault.Internal, reason: fault.ReasonInternal, public: "the relation engine failed"}
}

// reasonOf returns the reason and the metadata in the details of s. Names that the schema
// does not know share one reason, whatever they should have named.
func reasonOf(s *status.Status) (fault.Reason, map[string]string) {
	for _, detail := range s.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok {
			continue
		}
		meta := maps.Clone(info.GetMetadata())
		switch v1.ErrorReason(v1.ErrorReason_value[info.GetReason()]) { //nolint:exhaustive // all others keep their name
		case v1.ErrorReason_ERROR_REASON_UNSPECIFIED:
			return "", nil
		case v1.ErrorReason_ERROR_REASON_UNKNOWN_DEFINITION,
			v1.ErrorReason_ERROR_REASON_UNKNOWN_RELATION_OR_PERMISSION,
			v1.ErrorReason_ERROR_REASON_UNKNOWN_CAVEAT:
			return fault.ReasonUnknownRelation, meta
		}
		return fault.Reason(strings.TrimPrefix(info.GetReason(), reasonPrefix)), meta
	}
	return "", nil
}

// handwritten is what the messages of authzed.api.v1 have whose rules their schema cannot say.
type handwritten interface{ HandwrittenValidate() error }

// validate does what SpiceDB does before it hands a request to a service: the services
// themselves expect every required field.
func (e *Engine) validate(m proto.Message) error {
	if err := protovalidate.Validate(m); err != nil {
		f := fault.New(fault.Invalid, fault.ReasonInvalidArgument, "%s", err)
		if invalid, ok := errors.AsType[*protovalidate.ValidationError](err); ok {
			for _, v := range invalid.Violations {
				f.Violations = append(f.Violations, fault.Violation{
					Field:   protovalidate.FieldPathString(v.Proto.GetField()),
					Message: v.Proto.GetMessage(),
				})
			}
		}
		return f.Because(err)
	}
	if h, ok := m.(handwritten); ok {
		if err := h.HandwrittenValidate(); err != nil {
			return fault.New(fault.Invalid, fault.ReasonInvalidArgument, "%s", err).Because(err)
		}
	}
	return nil
}

// gone returns the fault of a context that is done, nil while it is not.
func gone(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return faultOf(err)
	}
	return nil
}
