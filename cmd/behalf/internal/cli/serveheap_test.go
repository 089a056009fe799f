package cli

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestHeapGoal(t *testing.T) {
	const mib = 1 << 20
	h := heapGoal{least: 256 * mib, room: 1024 * mib, percent: 100}
	for live, want := range map[int64]int{
		0:          mostGOGC,
		10 * mib:   mostGOGC,
		40 * mib:   540,
		64 * mib:   300,
		128 * mib:  100,
		1024 * mib: 100,
		2048 * mib: 50,
		8192 * mib: 12,
	} {
		if got := h.percentFor(live); got < want || got > want+1 {
			t.Errorf("with %d bytes alive: %d percent, want %d", live, got, want)
		}
	}
}

func TestFloorOf(t *testing.T) {
	const mib, none = 1 << 20, math.MaxInt64
	for _, row := range []struct {
		memory      uint64
		limit, want int64
	}{
		{0, none, 256 * mib},
		{4096 * mib, none, 256 * mib},
		{8192 * mib, none, 512 * mib},
		{1 << 40, none, 1024 * mib},
		{1 << 40, 8192 * mib, 512 * mib},
		{8192 * mib, 1 << 40, 512 * mib},
		{8192 * mib, 300 * mib, 150 * mib},
	} {
		if got := floorOf(row.memory, row.limit); got != row.want {
			t.Errorf("of %d bytes, limited to %d: %d, want %d", row.memory, row.limit, got, row.want)
		}
	}
}

func TestRoomOf(t *testing.T) {
	const gib, none = 1 << 30, math.MaxInt64
	for _, row := range []struct {
		memory      uint64
		limit, want int64
	}{
		{0, none, gib},
		{8 * gib, none, gib},
		{32 * gib, none, 2 * gib},
		{64 * gib, 32 * gib, none},
	} {
		if got := roomOf(row.memory, row.limit); got != row.want {
			t.Errorf("of %d bytes, limited to %d: %d, want %d", row.memory, row.limit, got, row.want)
		}
	}
}

// TestHeapGoalKept has the goal follow what is alive, from one collection to the next.
func TestHeapGoalKept(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(math.MaxInt64), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	none := func(string) (string, bool) { return "", false }
	memory, err := memlimit.FromSystem()
	if err != nil {
		t.Fatal(err)
	}
	least := uint64(floorOf(memory, math.MaxInt64))
	end := keepHeapGoal(none)
	goal := func() uint64 { return reading("/gc/heap/goal:bytes") }
	runtime.GC()
	for goal() < least*9/10 || goal() > least*11/10 { // the collection's cleanup comes soon after it
		runtime.Gosched()
	}
	alive := make([]byte, least*3/4)
	runtime.GC()
	for reading("/gc/gogc:percent") != 100 {
		runtime.Gosched()
	}
	runtime.KeepAlive(alive)
	end()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("after its end GOGC is %d", got)
	}

	debug.SetMemoryLimit(200 << 20)
	end = keepHeapGoal(none)
	runtime.GC()
	for goal() > 160<<20 {
		runtime.Gosched()
	}
	end()

	keepHeapGoal(func(string) (string, bool) { return "50", true })()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("with GOGC in the environment it is set to %d", got)
	}
}
