package rest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// sent is what a request names outside its body.
type sent struct {
	method string
	query  string
	path   map[string]string // by field path
}

type sentKey struct{}

func withSent(ctx context.Context, r *http.Request, path map[string]string) context.Context {
	return context.WithValue(ctx, sentKey{}, sent{method: r.Method, query: r.URL.RawQuery, path: path})
}

// strictConn refuses a call whose request named a parameter that the call does not have.
// grpc-gateway overlooks those, and a misspelt filter would quietly filter nothing. It
// stands in the connection because there, and only there, a request meets its message.
type strictConn struct{ grpc.ClientConnInterface }

// Invoke makes the call when every parameter is known.
func (c strictConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if s, ok := ctx.Value(sentKey{}).(sent); ok && s.query != "" {
		msg, ok := args.(proto.Message)
		if !ok {
			return status.Errorf(codes.Internal, "%s: a request of type %T", method, args)
		}
		if err := s.unknown(msg.ProtoReflect().Descriptor()); err != nil {
			return err
		}
	}
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

// unknown returns an error that names every parameter of the query that d does not have,
// or that the path has set already.
func (s sent) unknown(d protoreflect.MessageDescriptor) error {
	values, err := url.ParseQuery(s.query)
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "query: %v", err)
	}
	var violations []*errdetails.BadRequest_FieldViolation
	for name := range values {
		path, known := fieldPath(d, name)
		switch _, inPath := s.path[path]; {
		case s.method == http.MethodPost, s.method == http.MethodPut:
			violations = append(violations, violation(name, "this call takes its fields in the body, none in the query"))
		case !known:
			violations = append(violations, violation(name, "there is no such parameter"))
		case inPath:
			violations = append(violations, violation(name, "the path names it already"))
		}
	}
	if len(violations) == 0 {
		return nil
	}
	slices.SortFunc(violations, func(a, b *errdetails.BadRequest_FieldViolation) int {
		return strings.Compare(a.GetField(), b.GetField())
	})
	st := status.Newf(codes.InvalidArgument, "%s: %s", violations[0].GetField(), violations[0].GetDescription())
	detailed, err := st.WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_ARGUMENT", Domain: "behalf"},
		&errdetails.BadRequest{FieldViolations: violations},
	)
	if err != nil {
		return st.Err()
	}
	return detailed.Err()
}

func violation(field, description string) *errdetails.BadRequest_FieldViolation {
	return &errdetails.BadRequest_FieldViolation{Field: field, Description: description}
}

// fieldPath returns the path, in proto names, of the scalar field that a parameter names
// by proto or JSON names.
func fieldPath(d protoreflect.MessageDescriptor, parameter string) (string, bool) {
	parts := strings.Split(parameter, ".")
	for i, part := range parts {
		if d == nil {
			return "", false
		}
		field := d.Fields().ByName(protoreflect.Name(part))
		if field == nil {
			field = d.Fields().ByJSONName(part)
		}
		if field == nil || field.IsMap() {
			return "", false
		}
		parts[i], d = string(field.Name()), field.Message()
		if d != nil && d.FullName() == "google.protobuf.Timestamp" {
			d = nil // written as a text
		}
	}
	return strings.Join(parts, "."), d == nil
}
