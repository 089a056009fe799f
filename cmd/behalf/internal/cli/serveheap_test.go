package cli

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestHeapFloor(t *testing.T) {
	const mib = 1 << 20
	h := heapFloor{least: 256 * mib, percent: 100}
	for live, want := range map[int64]int{
		0:          mostGOGC,
		10 * mib:   mostGOGC,
		40 * mib:   540,
		64 * mib:   300,
		128 * mib:  100,
		1024 * mib: 100,
	} {
		if got := h.percentFor(live); got < want || got > want+1 {
			t.Errorf("with %d bytes alive: %d percent, want %d", live, got, want)
		}
	}
}

// TestHeapFloorKept has the floor follow what is alive, from one collection to the next.
func TestHeapFloorKept(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(math.MaxInt64), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	none := func(string) (string, bool) { return "", false }
	some := make([]byte, 64<<20)
	end := keepHeapFloor(none)
	goal := func() uint64 { return reading("/gc/heap/goal:bytes") }
	runtime.GC()
	for goal() < leastHeap*9/10 { // the collection's cleanup comes soon after it
		runtime.Gosched()
	}
	alive := make([]byte, 2*leastHeap)
	runtime.GC()
	for reading("/gc/gogc:percent") != 100 {
		runtime.Gosched()
	}
	runtime.KeepAlive(alive)
	runtime.KeepAlive(some)
	end()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("after its end GOGC is %d", got)
	}

	end = keepEmptyHeapFloor(none)
	runtime.GC()
	for goal() < leastHeap*9/10 || goal() > leastHeap*11/10 { // however little is alive
		runtime.Gosched()
	}
	end()

	debug.SetMemoryLimit(200 << 20)
	end = keepHeapFloor(none)
	runtime.GC()
	for goal() > 160<<20 {
		runtime.Gosched()
	}
	end()

	keepHeapFloor(func(string) (string, bool) { return "50", true })()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("with GOGC in the environment it is set to %d", got)
	}
}
