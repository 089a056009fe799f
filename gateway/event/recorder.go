package event

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Recorder writes the events of requests to a log and to metrics.
type Recorder struct {
	logger    *slog.Logger
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

// NewRecorder returns a recorder and registers its metrics.
func NewRecorder(logger *slog.Logger, registerer prometheus.Registerer) (*Recorder, error) {
	rec := &Recorder{
		logger: logger,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "behalf_http_requests_total",
			Help: "HTTP requests answered, by route pattern, method and status.",
		}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "behalf_http_request_duration_seconds",
			Help:    "Time from the request's headers to the last byte of its answer.",
			Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
	}
	for _, c := range []prometheus.Collector{rec.requests, rec.durations} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register HTTP metrics: %w", err)
		}
	}
	return rec, nil
}

// Handler records every request that next answers. A panic in next is recorded and then
// answered by onPanic, unless a part of the answer has gone already: then the connection
// is cut, so that nobody takes half an answer for a whole one.
func (rec *Recorder) Handler(next http.Handler, onPanic http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ev := &Event{RequestID: requestID(r), Route: Unmatched}
		r = r.WithContext(With(r.Context(), ev))
		counted := &response{ResponseWriter: w, event: ev}
		counted.Header().Set(RequestIDHeader, ev.RequestID)

		ev.Err = cmp.Or(serve(next, counted, r), ev.Err)
		cut := errors.Is(ev.Err, errPanicked) && counted.status != 0
		if errors.Is(ev.Err, errPanicked) && !cut {
			onPanic(counted, r)
		}
		rec.record(r, ev, counted, time.Since(start))
		if cut {
			panic(http.ErrAbortHandler)
		}
	})
}

// errPanicked marks the error that a panic became.
var errPanicked = errors.New("panic")

// serve calls next and returns its panic as an error, with the stack for the log.
func serve(next http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanicked, fault, debug.Stack())
		}
	}()
	next.ServeHTTP(w, r)
	return nil
}

func (rec *Recorder) record(r *http.Request, ev *Event, w *response, took time.Duration) {
	status := w.code()
	label := method(r.Method)
	rec.requests.WithLabelValues(ev.Route, label, strconv.Itoa(status)).Inc()
	rec.durations.WithLabelValues(ev.Route, label).Observe(took.Seconds())
	if ev.Unlogged {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", label),
		slog.String("route", ev.Route),
		slog.Int("status", status),
		slog.Duration("duration", took),
		slog.Int64("bytes", w.written),
		slog.String("request_id", ev.RequestID),
		slog.String("peer", r.RemoteAddr),
	}
	if ev.Caller != "" {
		attrs = append(attrs, slog.String("caller", ev.Caller))
	}
	if ev.Reason != "" {
		attrs = append(attrs, slog.String("reason", ev.Reason))
	}
	if ev.Decision != "" {
		attrs = append(attrs, slog.String("decision", ev.Decision), slog.String("why", ev.Why))
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if ev.Err != nil && tells(status) && !errors.Is(ev.Err, context.Canceled) {
		attrs = append(attrs, slog.String("error", ev.Err.Error()))
	}
	rec.logger.LogAttrs(r.Context(), level, "http request", attrs...)
}

// tells reports whether the text of an error with the status is about the server, or about
// who may call. Other texts may repeat what was asked, a national identity number in the
// wrong place for example, and that stays out of the log.
func tells(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusUnauthorized || status == http.StatusForbidden
}

// response counts what is written.
type response struct {
	http.ResponseWriter
	event   *Event
	status  int
	written int64
}

// WriteHeader notes the status. An answer of any door that a limit gave says when to come again.
func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK { // 1xx is not the answer yet
		w.status = status
	}
	if h := w.Header(); status == http.StatusTooManyRequests && w.event.RetryAfter > 0 && h.Get("Retry-After") == "" {
		h.Set("Retry-After", Seconds(w.event.RetryAfter))
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.written += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the writer underneath.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code returns the status that the client got. A handler that writes nothing answers 200.
func (w *response) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}
