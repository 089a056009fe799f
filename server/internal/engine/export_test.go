package engine

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// KeepAllLists keeps short lists, too, so that small worlds show whether kept ones are right.
func (e *Engine) KeepAllLists() { e.walks.lists.least = 0 }

// ListsGivenAgain returns how many questions were answered with a list that was kept.
func (e *Engine) ListsGivenAgain(t testing.TB) int {
	t.Helper()
	n := 0
	for _, c := range []prometheus.Counter{e.walks.again[resourceLists], e.walks.again[subjectLists]} {
		registry := prometheus.NewRegistry()
		registry.MustRegister(c)
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		n += int(families[0].GetMetric()[0].GetCounter().GetValue())
	}
	return n
}
