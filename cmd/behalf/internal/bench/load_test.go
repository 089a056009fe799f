package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// server answers as a function says, in the time of the test.
type server func(ctx context.Context, q Question) (bool, error)

func (s server) Ask(ctx context.Context, _ int, q Question) (bool, error) { return s(ctx, q) }

func someQuestions() *Questions {
	q := &Questions{Permission: Represent, Seed: 1, Denials: 0.5}
	q.add(Question{"1", "10", true})
	q.add(Question{"2", "10", false})
	return q
}

func silent(time.Duration) {}

// within reports whether a recorded latency is the wanted one, as far as a histogram of
// three digits knows.
func within(got float64, want time.Duration) bool {
	return got >= micros(want)*0.999 && got <= micros(want)*1.001
}

// TestStallIsNotOmitted has a server stand still for a second. An open loop counts the
// calls that would have been made meanwhile as waiting since they were due.
func TestStallIsNotOmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		stalls := server(func(_ context.Context, q Question) (bool, error) {
			time.Sleep(time.Millisecond)
			if calls++; calls == 500 {
				time.Sleep(time.Second)
			}
			return q.Allowed, nil
		})
		load := Load{Concurrency: 1, Rate: 100, Duration: 10 * time.Second, Timeout: time.Minute}
		got, err := load.do(t.Context(), stalls, someQuestions(), 0, silent)
		if err != nil {
			t.Fatal(err)
		}
		if got.calls() != 1000 || got.unsent != 0 || got.wrongs != 0 {
			t.Errorf("%d calls, %d unsent, %d wrong", got.calls(), got.unsent, got.wrongs)
		}
		// Call 500 takes 1,001 ms, and each of the following 9 ms less, until nobody waits:
		// a tenth of all. Without the waiting only one call would be slow.
		l := latency(got.latency)
		if !within(l.Max, 1001*time.Millisecond) || !within(l.P50, time.Millisecond) {
			t.Errorf("%+v", l)
		}
		if l.P99 < micros(850*time.Millisecond) || l.P99 > micros(950*time.Millisecond) {
			t.Errorf("p99 is %v us, want about 900 ms", l.P99)
		}
		if late := latency(got.late); !within(late.Max, 991*time.Millisecond) {
			t.Errorf("calls were sent late by %+v", late)
		}
	})
}

// TestOpenLoopKeepsItsRate has calls last longer than their distance: with enough callers
// they start when they are due, however long others last.
func TestOpenLoopKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		slow := server(func(_ context.Context, q Question) (bool, error) {
			if at := time.Since(start); at%(4*time.Millisecond) != 0 {
				t.Errorf("a call started after %v", at)
			}
			time.Sleep(50 * time.Millisecond)
			return q.Allowed, nil
		})
		load := Load{Concurrency: 20, Rate: 250, Duration: time.Second, Timeout: time.Minute}
		got, err := load.do(t.Context(), slow, someQuestions(), 0, silent)
		if err != nil {
			t.Fatal(err)
		}
		if l := latency(got.latency); got.calls() != 250 || !within(l.Max, 50*time.Millisecond) {
			t.Errorf("%d calls, %+v", got.calls(), l)
		}
	})
}

// TestHopelessRate asks for more than is answered: it ends, and says what was not sent.
func TestHopelessRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := server(func(_ context.Context, q Question) (bool, error) {
			time.Sleep(100 * time.Millisecond)
			return q.Allowed, nil
		})
		load := Load{Concurrency: 2, Rate: 1000, Duration: time.Second, Timeout: time.Minute}
		got, err := load.do(t.Context(), slow, someQuestions(), 0, silent)
		if err != nil {
			t.Fatal(err)
		}
		if got.calls() != 40 || got.unsent != 960 || got.elapsed.Truncate(100*time.Millisecond) != 2*time.Second {
			t.Errorf("%d calls and %d unsent after %v", got.calls(), got.unsent, got.elapsed)
		}
	})
}

// TestClosedLoop has callers ask again when they have their answer.
func TestClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steady := server(func(_ context.Context, q Question) (bool, error) {
			time.Sleep(10 * time.Millisecond)
			return q.Allowed, nil
		})
		load := Load{Concurrency: 3, Duration: time.Second, Warmup: time.Second, Timeout: time.Minute}
		told := map[string]bool{}
		m, err := load.Measure(t.Context(), "check", "", steady, someQuestions(), nil, func(phase string, _, _ time.Duration) { told[phase] = true })
		if err != nil {
			t.Fatal(err)
		}
		if m.Calls != 300 || m.PerSecond != 300 || m.Allowed+m.Denied != 300 || m.Late != nil || m.CPU != nil || !within(m.Latency.P999, 10*time.Millisecond) {
			t.Errorf("%+v", m)
		}
		if !told["check"] || !told["check, warm-up"] {
			t.Errorf("progress told of %v", told)
		}
	})
}

// TestWrongAndFailedCalls counts answers that are not the oracle's and calls without one,
// and ends a run that measures errors.
func TestWrongAndFailedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		liar := server(func(context.Context, Question) (bool, error) { time.Sleep(time.Millisecond); return true, nil })
		load := Load{Concurrency: 2, Duration: time.Second, Timeout: 50 * time.Millisecond}
		got, err := load.do(t.Context(), liar, someQuestions(), 0, silent)
		if err != nil {
			t.Fatal(err)
		}
		if got.wrongs == 0 || got.wrongs == got.calls() || len(got.wrong) != mostKept || got.wrong[0] != (Wrong{"2", "10", true, false}) {
			t.Errorf("%d of %d calls are wrong: %v", got.wrongs, got.calls(), got.wrong)
		}
		dead := server(func(ctx context.Context, _ Question) (bool, error) { <-ctx.Done(); return false, ctx.Err() })
		load.Duration = time.Hour
		m, err := load.Measure(t.Context(), "check", "", dead, someQuestions(), nil, func(string, time.Duration, time.Duration) {})
		if err != nil {
			t.Fatal(err)
		}
		if m.Failed != m.Calls || m.Failed < mostFailed || m.Failed > mostFailed+2 || m.Wrong != 0 || m.Fault == "" {
			t.Errorf("%+v", m)
		}
		if fault := (Report{Permission: Represent, Measurements: []Measurement{m}}).Fault(); fault == nil {
			t.Error("calls that fail are no fault of the report")
		}
	})
}

// TestInterrupted ends a run whose context ends.
func TestInterrupted(t *testing.T) {
	for _, rate := range []float64{0, 10} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			slow := server(func(ctx context.Context, _ Question) (bool, error) { <-ctx.Done(); return false, ctx.Err() })
			load := Load{Concurrency: 2, Rate: rate, Duration: time.Hour, Timeout: time.Hour}
			if _, err := load.do(ctx, slow, someQuestions(), 0, silent); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
}
