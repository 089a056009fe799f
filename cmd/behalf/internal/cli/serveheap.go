package cli

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// The heap may become so large before it is collected, however little of it is alive. Calls
// share their processors with a collection, and with one processor they wait for each other
// while it lasts: more than three times as long as else, at rates that make a collection every
// few seconds. A part of the memory that nobody misses makes collections rare.
const (
	floorShare = 16 // of the memory, or of its limit, one part
	leastFloor = 256 << 20
	mostFloor  = 1 << 30
)

// A large heap that no limit bounds is collected before it has doubled: once it has grown by a sixteenth
// of the memory. That keeps collections rare, and what a country's registers keep alive would come with
// as many gigabytes of garbage.
const leastRoom = 1 << 30 // bytes; where the sixteenth is less

// mostGOGC bounds how much may be added to what is alive, which a collection can find to have
// grown: until GOGC is set anew, which is soon after it, the heap may grow by as much again.
const mostGOGC = 700

// heapGoal keeps the heap's goal from falling below a size, and from lying far above what is alive.
type heapGoal struct {
	least   int64 // bytes
	room    int64 // bytes: the most that a heap of more than that may grow by
	percent int   // what GOGC is in between
	ended   atomic.Bool
}

// keepHeapGoal has the heap's goal kept in its bounds until end is called. GOGC in the
// environment stays, as somebody chose it.
//
// Little may be alive, and GOGC alone would not take the heap as far. So it holds on to what
// does: nobody writes there, so that it takes no memory, and a collection does not look into it.
func keepHeapGoal(lookup func(string) (string, bool)) (end func()) {
	if text, given := lookup("GOGC"); given && text != "" {
		return func() {}
	}
	memory, _ := memlimit.FromSystem() // 0 where it does not say
	limit := debug.SetMemoryLimit(-1)
	h := &heapGoal{least: floorOf(memory, limit), room: roomOf(memory, limit), percent: int(reading("/gc/gogc:percent"))}
	held := make([]byte, h.least/(1+mostGOGC/100))
	h.keep()
	return func() {
		h.ended.Store(true)
		debug.SetGCPercent(h.percent)
		runtime.KeepAlive(held)
	}
}

// floorOf returns the floor on a machine with so much memory, 0 for not known, of which the
// process may have so much. It is half of a limit at most.
func floorOf(memory uint64, limit int64) int64 {
	return min(max(leastFloor, min(shareOf(memory, limit), mostFloor)), limit/2)
}

// roomOf returns by how much a large heap may grow on such a machine. A limit bounds it by itself.
func roomOf(memory uint64, limit int64) int64 {
	if limit != math.MaxInt64 {
		return math.MaxInt64
	}
	return max(leastRoom, shareOf(memory, limit))
}

func shareOf(memory uint64, limit int64) int64 { return int64(min(memory, uint64(limit)) / floorShare) }

// keep sets GOGC now, and anew after each collection.
func (h *heapGoal) keep() {
	if h.ended.Load() {
		return
	}
	debug.SetGCPercent(h.percentFor(int64(reading("/gc/heap/live:bytes"))))
	runtime.AddCleanup(new([2]uint64), (*heapGoal).keep, h) // of what the next collection finds unused
}

// percentFor returns the GOGC by which a heap with so much alive reaches the floor, or takes up its room.
func (h *heapGoal) percentFor(live int64) int {
	if live <= h.least/(1+mostGOGC/100) { // or not known, before the first collection
		return max(h.percent, mostGOGC)
	}
	percent := h.percent
	if live > h.room {
		percent = min(percent, max(1, int(h.room*100/live)))
	}
	return max(percent, int((h.least-live)*100/live))
}

// reading returns a metric of the runtime that counts something.
func reading(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
