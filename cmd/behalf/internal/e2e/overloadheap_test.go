package e2e

import (
	"context"
	"fmt"
	"net/http"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"
)

// heapWatch knows how large the heap of its process has been. It looks by itself, since asking
// for all metrics takes the one processor a score of milliseconds, which calls would wait for.
type heapWatch struct {
	most atomic.Uint64
}

// run looks at the heap until the process ends: at how large the collector lets it become, or
// how large it is if that is more.
func (h *heapWatch) run() {
	seen := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(50 * time.Millisecond) {
		metrics.Read(seen)
		for _, s := range seen {
			if now := s.Value.Uint64(); now > h.most.Load() {
				h.most.Store(now)
			}
		}
	}
}

// ServeHTTP says how large the heap has been since it was last asked.
func (h *heapWatch) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintln(w, h.most.Swap(0))
}

// serveHeap starts a watch, and returns where it answers.
func serveHeap(t *testing.T) (url string) {
	t.Helper()
	h, listener := new(heapWatch), listen(t)
	go h.run()
	go func() { _ = http.Serve(listener, h) }()
	return "http://" + listener.Addr().String()
}

// heapDuring returns how large the server's heap becomes while do runs.
func (w *overload) heapDuring(t *testing.T, do func(context.Context)) (most float64) {
	t.Helper()
	watch := instance{url: w.server.other[1]}
	watch.call(t, http.MethodGet, "/", "", "") // from here on
	do(t.Context())
	if _, err := fmt.Sscan(string(watch.call(t, http.MethodGet, "/", "", "").body), &most); err != nil {
		t.Fatal(err)
	}
	return most
}
