package interceptor

import (
	"context"
	"errors"
	"fmt"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// validated is the package whose messages are checked here. SpiceDB's services check theirs.
const validated = "behalf.v1"

// validate checks the message of a unary call. A stream's messages are checked as they come.
func (c *Chain) validate(ctx context.Context, k *call, next func(context.Context) error) error {
	if !k.stream {
		if err := check(k.message); err != nil {
			return err
		}
	}
	return next(ctx)
}

// check returns an Invalid fault that names every field of the message that is wrong.
func check(message any) error {
	if plain(message) {
		return nil
	}
	m, ok := message.(proto.Message)
	if !ok || m.ProtoReflect().Descriptor().ParentFile().Package() != validated {
		return nil
	}
	err := protovalidate.Validate(m)
	if err == nil {
		return invalid(withNUL(m.ProtoReflect(), ""))
	}
	wrong, ok := errors.AsType[*protovalidate.ValidationError](err)
	if !ok || len(wrong.Violations) == 0 {
		return fmt.Errorf("validate %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	violations := make([]fault.Violation, len(wrong.Violations))
	for i, v := range wrong.Violations {
		violations[i] = fault.Violation{
			Field:   protovalidate.FieldPathString(v.Proto.GetField()),
			Message: messageOf(v),
		}
	}
	return invalid(violations)
}

// invalid returns the fault of violations, nil when there are none.
func invalid(violations []fault.Violation) error {
	if len(violations) == 0 {
		return nil
	}
	e := fault.New(fault.Invalid, fault.ReasonInvalidArgument, "%s", sentence(violations[0]))
	e.Violations = violations
	return e
}

func messageOf(v *protovalidate.Violation) string {
	if text := v.Proto.GetMessage(); text != "" {
		return text
	}
	return "breaks the rule " + v.Proto.GetRuleId()
}

func sentence(v fault.Violation) string {
	if v.Field == "" { // a rule of the whole message
		return v.Message
	}
	return v.Field + ": " + v.Message
}
