package audit

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the counts and durations of all sinks.
type metrics struct {
	records *prometheus.CounterVec
	write   *prometheus.HistogramVec
	sync    *prometheus.HistogramVec
	failed  *prometheus.CounterVec
}

// sinkMetrics are those of one sink.
type sinkMetrics struct {
	written, failed, syncFailed prometheus.Counter
	writeSeconds, syncSeconds   prometheus.Observer
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	buckets := []float64{.00001, .000025, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
	m := &metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "behalf_audit_records_total",
			Help: "Records of decisions, by sink and whether it took them: written or failed.",
		}, []string{"sink", "result"}),
		write: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "behalf_audit_write_seconds", Help: "How long writes of records took, by sink. One may be of many records.", Buckets: buckets,
		}, []string{"sink"}),
		sync: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "behalf_audit_sync_seconds", Help: "How long records took to reach the disk, by sink.", Buckets: buckets,
		}, []string{"sink"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "behalf_audit_sync_failures_total", Help: "Syncs that have failed, by sink. One closes the door until the next start.",
		}, []string{"sink"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.records, m.write, m.sync, m.failed} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of the audit: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) of(sink string) sinkMetrics {
	return sinkMetrics{
		written: m.records.WithLabelValues(sink, "written"), failed: m.records.WithLabelValues(sink, "failed"),
		syncFailed: m.failed.WithLabelValues(sink), writeSeconds: m.write.WithLabelValues(sink), syncSeconds: m.sync.WithLabelValues(sink),
	}
}

func (m sinkMetrics) wrote(records int, err error) {
	if err != nil {
		m.failed.Add(float64(records))
		return
	}
	m.written.Add(float64(records))
}
