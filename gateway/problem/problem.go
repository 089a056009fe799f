package problem

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/event"
)

// ContentType is the media type of a problem document.
const ContentType = "application/problem+json"

// Reasons that the gateway itself gives. All others come from the server.
const (
	// RouteNotFound is given when no route has the path.
	RouteNotFound = "ROUTE_NOT_FOUND"
	// MethodNotAllowed is given when the route does not take the method; Allow names those it takes.
	MethodNotAllowed = "METHOD_NOT_ALLOWED"
	// UnsupportedMediaType is given when a body is not said to be JSON.
	UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE"
	// BodyTooLarge is given when a body exceeds the gateway's limit.
	BodyTooLarge = "BODY_TOO_LARGE"
	// RateLimited is given when a caller whom the server has refused for his rate goes on. The
	// server gives it too, with the same text.
	RateLimited = "RATE_LIMITED"
	// InvalidArgument is given when a parameter or a body cannot be read.
	InvalidArgument = "INVALID_ARGUMENT"
)

// ETagMismatch is the reason, of the server, of a write that expected another state.
const ETagMismatch = "ETAG_MISMATCH"

// domain marks the error details that the server wrote for callers to read.
const domain = "behalf"

// unexplained stands in for the text of a fault that was not written for callers.
const unexplained = "the server could not answer; the request id finds the cause in its log"

// Violation is one field of a request that is wrong.
type Violation struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Problem is a problem document. Type, Title and RequestID are filled in when it is written.
type Problem struct {
	Type       string            `json:"type"`
	Title      string            `json:"title"`
	Status     int               `json:"status"`
	Detail     string            `json:"detail,omitempty"`
	Code       string            `json:"code"`   // the name of the gRPC code, such as INVALID_ARGUMENT
	Reason     string            `json:"reason"` // machine-readable, and never changes its meaning
	Metadata   map[string]string `json:"metadata,omitempty"`
	Violations []Violation       `json:"violations,omitempty"`
	RequestID  string            `json:"request_id,omitempty"`
}

// New returns a problem that the gateway found itself. An HTTP status without a gRPC
// code of its own brings the code that comes nearest.
func New(httpStatus int, code codes.Code, reason, detail string) Problem {
	return Problem{Status: httpStatus, Code: CodeName(code), Reason: reason, Detail: detail}
}

// Invalid returns the problem of one parameter or field.
func Invalid(field, message string) Problem {
	p := New(http.StatusBadRequest, codes.InvalidArgument, InvalidArgument, field+": "+message)
	p.Violations = []Violation{{Field: field, Message: message}}
	return p
}

// FromError returns the problem of an error that a gRPC call returned.
func FromError(err error) Problem {
	st := Status(err)
	p := Problem{Status: HTTPStatus(st.Code()), Code: CodeName(st.Code())}
	written := false
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() != domain {
				continue
			}
			written, p.Reason, p.Metadata = true, d.GetReason(), d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				p.Violations = append(p.Violations, Violation{Field: v.GetField(), Message: v.GetDescription()})
			}
		}
	}
	p.Detail = st.Message()
	if !written && p.Status >= http.StatusInternalServerError {
		// Such a text comes from a transport or a library and can name hosts and files.
		p.Detail, p.Violations = unexplained, nil
	}
	if p.Reason == "" {
		p.Reason = p.Code
	}
	if p.Reason == ETagMismatch {
		p.Status = http.StatusPreconditionFailed // which gRPC has no code for
	}
	return p
}

// Status returns the status of an error that a gRPC call returned. An in-process call can
// end with the bare error of its context, which a network call never does.
func Status(err error) *status.Status {
	if st, ok := status.FromError(err); ok && st.Code() != codes.OK {
		return st
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err)
	}
	return status.New(codes.Unknown, "")
}

// Write answers the request with p.
func Write(w http.ResponseWriter, r *http.Request, p Problem) {
	ev := event.From(r.Context())
	p.Type = "urn:behalf:reason:" + p.Reason
	p.Title = title(p.Status)
	p.RequestID = ev.RequestID
	ev.Reason = p.Reason

	body, err := json.Marshal(p)
	if err != nil { // strings, ints and a map of strings always marshal
		p.Status, body = http.StatusInternalServerError, nil
	}
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		Challenge(r.Context(), h)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client went away; there is nobody to tell
}

// Challenge sets the header that RFC 6750 asks of a 401: bare when the call brought no
// credentials, with an error when it brought some that did not hold.
func Challenge(ctx context.Context, h http.Header) {
	value := "Bearer"
	if md, ok := metadata.FromOutgoingContext(ctx); ok && len(md.Get("authorization")) > 0 {
		value = `Bearer error="invalid_token"`
	}
	h.Set("WWW-Authenticate", value)
}

// title returns the phrase of an HTTP status.
func title(httpStatus int) string {
	if httpStatus == clientClosedRequest {
		return "Client Closed Request"
	}
	return http.StatusText(httpStatus)
}

// WriteMethodNotAllowed answers a request whose route takes other methods than its own.
func WriteMethodNotAllowed(w http.ResponseWriter, r *http.Request, allowed ...string) {
	list := strings.Join(allowed, ", ")
	w.Header().Set("Allow", list)
	Write(w, r, New(http.StatusMethodNotAllowed, codes.Unimplemented, MethodNotAllowed, "the route takes "+list))
}
