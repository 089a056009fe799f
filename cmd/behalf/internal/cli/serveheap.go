package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// leastHeap is how large the heap may become before it is collected, however little of it is
// alive. A collection takes processors from the calls, and the few megabytes of a small
// register would be marked several times a second.
const leastHeap = 256 << 20

// mostGOGC bounds how much may be added to what is alive, which a collection can find to have
// grown: until GOGC is set anew, which is soon after it, the heap may grow by as much again.
const mostGOGC = 700

// heapFloor keeps the heap's goal from falling below a size.
type heapFloor struct {
	least   int64 // bytes
	percent int   // what GOGC is where more than that is alive
	ended   atomic.Bool
}

// keepHeapFloor has a floor kept until end is called. Of a limited memory it is half at most.
// GOGC in the environment stays, as somebody chose it.
func keepHeapFloor(lookup func(string) (string, bool)) (end func()) {
	if text, given := lookup("GOGC"); given && text != "" {
		return func() {}
	}
	h := &heapFloor{least: min(leastHeap, debug.SetMemoryLimit(-1)/2), percent: int(reading("/gc/gogc:percent"))}
	h.keep()
	return func() {
		h.ended.Store(true)
		debug.SetGCPercent(h.percent)
	}
}

// keepEmptyHeapFloor is keepHeapFloor for a process in which next to nothing is alive, where
// GOGC alone would not take the heap as far. It holds on to what does: nobody writes there,
// so that it takes no memory, and a collection does not look into it.
func keepEmptyHeapFloor(lookup func(string) (string, bool)) (end func()) {
	held := make([]byte, leastHeap/(1+mostGOGC/100))
	keep := keepHeapFloor(lookup)
	return func() {
		keep()
		runtime.KeepAlive(held)
	}
}

// keep sets GOGC now, and anew after each collection.
func (h *heapFloor) keep() {
	if h.ended.Load() {
		return
	}
	debug.SetGCPercent(h.percentFor(int64(reading("/gc/heap/live:bytes"))))
	runtime.AddCleanup(new([2]uint64), (*heapFloor).keep, h) // of what the next collection finds unused
}

// percentFor returns the GOGC by which a heap with so much alive reaches the floor.
func (h *heapFloor) percentFor(live int64) int {
	if live <= h.least/(1+mostGOGC/100) { // or not known, before the first collection
		return max(h.percent, mostGOGC)
	}
	return max(h.percent, int((h.least-live)*100/live))
}

// reading returns a metric of the runtime that counts something.
func reading(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
