package bench

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// rounds is in how many slices each of several things is measured. That is enough for what
// drifts to fall on all of them alike, and few enough for a slice to be long against the
// tick in which processor time is counted.
const rounds = 5

// Measurand is what a measurement is of.
type Measurand struct {
	Name      string // of the measurement
	What      string // the method
	Asker     Asker
	Processes Processes // whose processor time is its; without any, none is measured
}

// Alternate measures things that are compared. One after the other they would not be
// measured under equal conditions: heaps and caches of a server settle for longer than a
// warm-up lasts, and the machine's clock and neighbours change. So each is warmed up, and
// then its time is cut into slices that alternate with those of the others. An open loop is
// not cut: the calls that are late when a slice ends would be forgotten with it. Calls that
// fail and wrong answers in a warm-up end it, as do too many calls that fail later; what is
// returned was measured.
func (l Load) Alternate(ctx context.Context, questions *Questions,
	progress func(phase string, done, total time.Duration), measurands ...Measurand,
) ([]Measurement, error) {
	a := &alternation{load: l, questions: questions, progress: progress}
	for _, m := range measurands {
		s := &series{Measurand: m, sum: newTally()}
		if fine, err := a.warm(ctx, s); err != nil {
			return nil, err
		} else if !fine {
			return []Measurement{s.sum.measurement(m.Name, m.What)}, nil // nothing after this is worth measuring
		}
		a.series = append(a.series, s)
	}
	if err := a.measure(ctx); err != nil {
		return nil, err
	}
	return a.measurements(), nil
}

// alternation is a run of several measurements.
type alternation struct {
	load      Load
	questions *Questions
	progress  func(phase string, done, total time.Duration)
	series    []*series
}

// series is the slices of one measurement.
type series struct {
	Measurand

	sum    *tally
	cpu    time.Duration
	slices int
}

// warm makes calls of which only the next question is kept, unless something is wrong.
func (a *alternation) warm(ctx context.Context, s *series) (fine bool, err error) {
	if a.load.Warmup == 0 {
		return true, nil
	}
	warm := a.load
	warm.Duration = a.load.Warmup
	t, err := warm.do(ctx, s.Asker, a.questions, 0, func(d time.Duration) { a.progress(s.Name+", warm-up", d, warm.Duration) })
	if err != nil {
		return false, err
	}
	if t.failed > 0 || t.wrongs > 0 {
		s.sum = t
		return false, nil
	}
	s.sum.next = t.next
	return true, nil
}

// measure takes all slices. What is measured alone, or in an open loop, is measured in one.
func (a *alternation) measure(ctx context.Context) error {
	slices := rounds
	if len(a.series) == 1 || a.load.Rate > 0 {
		slices = 1
	}
	for range slices {
		for _, s := range a.series {
			if err := a.take(ctx, s, a.load.slice(slices)); err != nil {
				return err
			}
			if s.sum.failed >= mostFailed {
				return nil
			}
		}
	}
	return nil
}

// take takes a slice. It begins with a heap of this process that has just been collected, so
// that none pays for what another has left.
func (a *alternation) take(ctx context.Context, s *series, slice Load) error {
	runtime.GC()
	before, err := s.Processes.time()
	if err != nil {
		return err
	}
	t, err := slice.do(ctx, s.Asker, a.questions, s.sum.next, a.tell)
	if err != nil {
		return err
	}
	after, err := s.Processes.time()
	if err != nil {
		return fmt.Errorf("after the load: %w", err)
	}
	s.sum.add(t)
	s.cpu += after - before
	s.slices++
	return nil
}

// tell tells of all measurements at once, with how long the slice under way has lasted.
func (a *alternation) tell(slice time.Duration) {
	var names []string
	done := slice
	for _, s := range a.series {
		names = append(names, s.Name)
		done += s.sum.elapsed
	}
	a.progress(strings.Join(names, ", "), done, a.load.Duration*time.Duration(len(a.series)))
}

// measurements returns what was measured.
func (a *alternation) measurements() []Measurement {
	var all []Measurement
	for _, s := range a.series {
		if s.slices == 0 {
			continue // an end came before its first
		}
		m := s.sum.measurement(s.Name, s.What)
		m.Slices = s.slices
		if a.load.Rate > 0 {
			late := latency(s.sum.late)
			m.Late = &late
		}
		if len(s.Processes) > 0 && m.Calls > 0 {
			m.CPU = &CPU{s.cpu.Seconds(), micros(s.cpu) / float64(m.Calls)}
		}
		all = append(all, m)
	}
	return all
}
