package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest latency that is told apart from longer ones.
const longest = 10 * time.Minute

// tally is what came of calls. Each caller has its own.
type tally struct {
	latency, late           *hdrhistogram.Histogram // nanoseconds, to three digits
	allowed, denied, failed uint64
	wrongs                  uint64
	wrong                   []Wrong
	fault                   error // the first
	unsent, next            uint64
	elapsed                 time.Duration
}

func newTally() *tally {
	return &tally{latency: newHistogram(), late: newHistogram()}
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(longest), 3)
}

// record takes a call: the answer, how late it was sent, and how long after the moment it
// was meant to start it was answered.
func (t *tally) record(q Question, allowed bool, err error, late, latency time.Duration) {
	note(t.late, late)
	note(t.latency, latency)
	switch {
	case err != nil:
		t.failed++
		if t.fault == nil {
			t.fault = err
		}
		return
	case allowed:
		t.allowed++
	default:
		t.denied++
	}
	if allowed != q.Allowed {
		t.wrongs++
		if len(t.wrong) < mostKept {
			t.wrong = append(t.wrong, Wrong{User: q.User, Party: q.Party, Answered: allowed, Oracle: q.Allowed})
		}
	}
}

func note(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(int64(min(max(d, 1), longest))) // within its bounds it takes everything
}

// add takes in another's calls, of another caller or of a later slice.
func (t *tally) add(o *tally) {
	t.latency.Merge(o.latency)
	t.late.Merge(o.late)
	t.allowed += o.allowed
	t.denied += o.denied
	t.failed += o.failed
	t.wrongs += o.wrongs
	if room := mostKept - len(t.wrong); room > 0 {
		t.wrong = append(t.wrong, o.wrong[:min(room, len(o.wrong))]...)
	}
	if t.fault == nil {
		t.fault = o.fault
	}
	t.unsent += o.unsent
	t.next = max(t.next, o.next)
	t.elapsed += o.elapsed
}

func (t *tally) calls() uint64 { return t.allowed + t.denied + t.failed }
