package interceptor

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
)

// unknown is the label of methods that have no row in the access table, and of codes that
// gRPC does not define. So both label sets are closed, whatever callers send.
const unknown = "unknown"

// metrics are the counts and durations of calls.
type metrics struct {
	byMethod map[string]methodMetrics

	refusedByRate, refusedInHand prometheus.Counter
}

// methodMetrics are those of one method. The handles of the common case are resolved once.
type methodMetrics struct {
	ok      prometheus.Counter
	failed  *prometheus.CounterVec
	seconds prometheus.Observer
}

func newMetrics(registerer prometheus.Registerer, access Access) (*metrics, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_grpc_requests_total",
		Help: "Calls that have ended, by method and gRPC code.",
	}, []string{"method", "code"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "behalf_grpc_request_seconds",
		Help:    "How long calls took, by method.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"method"})
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_calls_refused_total",
		Help: "Calls that a limit refused: the rate of their caller, or the calls in hand.",
	}, []string{"limit"})
	for _, c := range []prometheus.Collector{requests, seconds, refused} {
		if err := registerer.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of calls: %w", err)
		}
	}
	m := &metrics{
		byMethod:      make(map[string]methodMetrics, len(access)+1),
		refusedByRate: refused.WithLabelValues("rate"), refusedInHand: refused.WithLabelValues("in_hand"),
	}
	resolve := func(method string) {
		ofMethod := requests.MustCurryWith(prometheus.Labels{"method": method})
		m.byMethod[method] = methodMetrics{
			ok:      ofMethod.WithLabelValues(codes.OK.String()),
			failed:  ofMethod,
			seconds: seconds.WithLabelValues(method),
		}
	}
	resolve(unknown)
	for method := range access {
		resolve(method)
	}
	return m, nil
}

func (m *metrics) observe(method string, code codes.Code, took time.Duration) {
	of, found := m.byMethod[method]
	if !found {
		of = m.byMethod[unknown]
	}
	of.seconds.Observe(took.Seconds())
	switch {
	case code == codes.OK:
		of.ok.Inc()
	case code <= codes.Unauthenticated: // the last that gRPC defines
		of.failed.WithLabelValues(code.String()).Inc()
	default:
		of.failed.WithLabelValues(unknown).Inc()
	}
}
