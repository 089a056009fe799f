package event

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"time"
)

// Unmatched is the route of a request that no route took.
const Unmatched = "unmatched"

// Event is what is known of one request. The door that answers it fills it in; one
// goroutine owns it.
type Event struct {
	RequestID string
	Route     string // the pattern of the route, such as /v1/parties/{party_id}
	Caller    string // who asked, such as user/20001337, as far as it is known
	Reason    string // why the answer is an error, empty when it is none
	Err       error  // the cause, for the log only
	Decision  string // what was decided, when a decision was asked for
	Why       string // the reason of the decision

	// Unlogged says that the request is counted and not logged, as one of a flood.
	Unlogged bool

	// RetryAfter is when a request that a limit refused may be made again, 0 when nobody knows.
	RetryAfter time.Duration
}

type contextKey struct{}

// With returns a context that carries e.
func With(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, contextKey{}, e)
}

// From returns the event of ctx. Outside a request it returns one that nobody reads.
func From(ctx context.Context) *Event {
	if e, ok := ctx.Value(contextKey{}).(*Event); ok {
		return e
	}
	return &Event{}
}

// RequestIDHeader carries the request id, in both directions.
const RequestIDHeader = "X-Request-Id"

// requestID returns the id that the request brings, or a new one. An id that could break a
// log line or a metadata value is not taken over.
func requestID(r *http.Request) string {
	if id := r.Header.Get(RequestIDHeader); wellFormed(id) {
		return id
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func wellFormed(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == ':', c == '/', c == '+', c == '=':
		default:
			return false
		}
	}
	return true
}

// method returns a label of a closed set for what a client sent as its method.
func method(sent string) string {
	switch sent {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return sent
	}
	return "OTHER"
}
