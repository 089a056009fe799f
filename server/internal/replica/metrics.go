package replica

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what becomes of the questions.
type metrics struct {
	loads                 prometheus.Counter
	took                  prometheus.Histogram
	loading, slow, failed prometheus.Counter
}

func newMetrics(r *Replica, registerer prometheus.Registerer) (*metrics, error) {
	unproved := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "behalf_replica_fallbacks_total",
		Help: "Reads that SpiceDB had to answer, by why the replica of the relations could not: it was being loaded, was not proved fresh in time, or the database did not answer.",
	}, []string{"reason"})
	m := &metrics{
		loads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "behalf_replica_loads_total",
			Help: "How often all relations were loaded into memory. The first is that of the start.",
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "behalf_replica_question_seconds",
			Help:    "How long it took to ask the database what has changed, and to follow it. Readers that wait at the same time share a question.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12),
		}),
		loading: unproved.WithLabelValues("loading"),
		slow:    unproved.WithLabelValues("slow"),
		failed:  unproved.WithLabelValues("failed"),
	}
	if registerer == nil {
		return m, nil
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "behalf_replica_lag_seconds",
		Help: "How long ago the relations in memory were last proved to be those of the database.",
	}, func() float64 { return time.Duration(r.since() - r.proved.Load()).Seconds() })
	reached := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "behalf_replica_reached_transaction",
		Help: "The number of the transaction of the database before which the relations in memory contain all that had ended, 0 while they are loaded.",
	}, func() float64 {
		if s := r.latest.Load(); s != nil {
			return float64(s.horizon.next)
		}
		return 0
	})
	size := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "behalf_replica_relationships",
		Help: "Relationships in memory.",
	}, func() float64 {
		if s := r.latest.Load(); s != nil {
			return float64(s.Snapshot.Tuples())
		}
		return 0
	})
	var faults []error
	for _, c := range []prometheus.Collector{unproved, m.loads, m.took, lag, reached, size} {
		faults = append(faults, registerer.Register(c))
	}
	return m, errors.Join(faults...)
}
