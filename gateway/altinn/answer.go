package altinn

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
)

const (
	contentJSON    = "application/json; charset=utf-8"
	contentProblem = "application/problem+json; charset=utf-8"
)

// maxPooled keeps a buffer that one long list has grown from being held for ever.
const maxPooled = 8 << 20

// answerJSON answers with v, whole and with its length.
func (a *API) answerJSON(w http.ResponseWriter, r *http.Request, status int, contentType string, v any) {
	a.answerBuffer(w, r, status, contentType, func(buf *bytes.Buffer) error {
		enc := json.NewEncoder(buf)
		enc.SetEscapeHTML(false) // as Altinn's serializer: names arrive as they are
		return enc.Encode(v)
	})
}

// answerBuffer answers with what write leaves in a buffer.
func (a *API) answerBuffer(w http.ResponseWriter, r *http.Request, status int, contentType string, write func(*bytes.Buffer) error) {
	buf, _ := a.buffers.Get().(*bytes.Buffer)
	if buf == nil {
		buf = new(bytes.Buffer)
	}
	buf.Reset()
	defer func() {
		if buf.Cap() <= maxPooled {
			a.buffers.Put(buf)
		}
	}()
	if err := write(buf); err != nil {
		event.From(r.Context()).Err = err
		answerEmpty(w, r, http.StatusInternalServerError, "INTERNAL")
		return
	}
	body := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away; there is nobody to tell
}

// answerEmpty answers with a status alone, which is all that Altinn says of a refusal. The
// reason is in the log.
func answerEmpty(w http.ResponseWriter, r *http.Request, status int, reason string) {
	event.From(r.Context()).Reason = reason
	if status == http.StatusUnauthorized {
		problem.Challenge(r.Context(), w.Header())
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// details is a problem as ASP.NET writes it.
type details struct {
	Type    string              `json:"type"`
	Title   string              `json:"title"`
	Status  int                 `json:"status"`
	Errors  map[string][]string `json:"errors,omitempty"`
	TraceID string              `json:"traceId"`
}

// answerInvalid answers a request whose parameters are wrong, by the name of each.
func (a *API) answerInvalid(w http.ResponseWriter, r *http.Request, errs map[string][]string) {
	ev := event.From(r.Context())
	ev.Reason = problem.InvalidArgument
	a.answerJSON(w, r, http.StatusBadRequest, contentProblem, details{
		Type:    "https://tools.ietf.org/html/rfc9110#section-15.5.1",
		Title:   "One or more validation errors occurred.",
		Status:  http.StatusBadRequest,
		Errors:  errs,
		TraceID: ev.RequestID,
	})
}

// answerError answers a call that failed. What the caller did wrong keeps Altinn's status;
// everything else is a fault of ours, which is never told apart from others.
func (a *API) answerError(w http.ResponseWriter, r *http.Request, err error) {
	ev := event.From(r.Context())
	ev.Err = err
	p := problem.FromError(err)
	switch {
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusForbidden, p.Status == http.StatusNotFound:
		answerEmpty(w, r, p.Status, p.Reason)
	case p.Code == problem.CodeName(codes.InvalidArgument):
		a.answerInvalid(w, r, parameterErrors(p))
	case p.Status == http.StatusTooManyRequests, p.Status > http.StatusNotImplemented, p.Code == problem.CodeName(codes.Canceled):
		a.answerFault(w, r, p.Status, p.Reason)
	default:
		a.answerFault(w, r, http.StatusInternalServerError, p.Reason)
	}
}

// answerFault answers with the problem that ASP.NET writes for a status.
func (a *API) answerFault(w http.ResponseWriter, r *http.Request, status int, reason string) {
	ev := event.From(r.Context())
	ev.Reason = reason
	d := details{Title: http.StatusText(status), Status: status, TraceID: ev.RequestID}
	switch status {
	case http.StatusInternalServerError:
		d.Type, d.Title = "https://tools.ietf.org/html/rfc9110#section-15.6.1", "An error occurred while processing your request."
	case http.StatusServiceUnavailable:
		d.Type = "https://tools.ietf.org/html/rfc9110#section-15.6.4"
	case http.StatusGatewayTimeout:
		d.Type = "https://tools.ietf.org/html/rfc9110#section-15.6.5"
	case http.StatusTooManyRequests:
		d.Type = "https://tools.ietf.org/html/rfc6585#section-4"
	default:
		d.Type = "about:blank"
	}
	a.answerJSON(w, r, status, contentProblem, d)
}
