package bench

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answerIn answers rightly, after a time, and notes who was asked about which user.
func answerIn(d time.Duration, who string, asked *[]string) server {
	return func(_ context.Context, q Question) (bool, error) {
		*asked = append(*asked, who+" "+q.User)
		time.Sleep(d)
		return q.Allowed, nil
	}
}

// TestSlicesAlternate has two servers of different speed take turns: each is warmed up once,
// gets its slices one at a time, all of its time, and in each slice other questions.
func TestSlicesAlternate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		last := map[string]time.Duration{}
		load := Load{Concurrency: 1, Duration: time.Second, Warmup: 100 * time.Millisecond, Timeout: time.Minute}
		all, err := load.Alternate(t.Context(), someQuestions(), func(phase string, done, total time.Duration) {
			if done < last[phase] || done > total {
				t.Errorf("%s is at %v of %v after %v", phase, done, total, last[phase])
			}
			last[phase] = done
		}, Measurand{Name: "fast", Asker: answerIn(2*time.Millisecond, "fast", &asked)}, Measurand{Name: "slow", Asker: answerIn(10*time.Millisecond, "slow", &asked)})
		if err != nil {
			t.Fatal(err)
		}
		var turns, users []string
		var lengths []int
		for _, one := range asked {
			who, user, _ := strings.Cut(one, " ")
			if len(turns) == 0 || turns[len(turns)-1] != who {
				turns, users, lengths = append(turns, who), append(users, ""), append(lengths, 0)
			}
			users[len(users)-1] += user
			lengths[len(lengths)-1]++
		}
		for i, asks := range users[2:] {
			if before := users[i]; strings.HasPrefix(asks, before[:10]) {
				t.Errorf("turn %d asks about users %s after %s", i+2, asks, before)
			}
		}
		// Of 100 ms of warm-up and five times 200 ms.
		if want := []int{50, 10, 100, 20, 100, 20, 100, 20, 100, 20, 100, 20}; !slices.Equal(lengths, want) || turns[0] != "fast" {
			t.Errorf("calls in turn are %v, want %v; %s is first", lengths, want, turns[0])
		}
		for i, want := range []struct {
			name    string
			calls   uint64
			latency time.Duration
		}{{"fast", 500, 2 * time.Millisecond}, {"slow", 100, 10 * time.Millisecond}} {
			m := all[i]
			if m.Name != want.name || m.Calls != want.calls || m.Allowed+m.Denied != want.calls || m.Slices != rounds || m.Seconds != 1 ||
				m.PerSecond != float64(want.calls) || !within(m.Latency.P50, want.latency) || !within(m.Latency.Max, want.latency) {
				t.Errorf("%+v", m)
			}
		}
		if last["fast, slow"] < 1800*time.Millisecond || last["fast, warm-up"] == 0 || last["slow, warm-up"] == 0 {
			t.Errorf("progress told of %v", last)
		}
	})
}

// TestOpenLoopInOnePiece has a server stall in an open loop: the calls that it keeps from being
// made wait on its clock to the last, and the next measurement has a clock of its own.
func TestOpenLoopInOnePiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		calls := 0
		stalls := server(func(_ context.Context, q Question) (bool, error) {
			if calls++; calls == 10 {
				time.Sleep(3 * time.Second) // from 1 s on, across what slices there could be
			}
			return q.Allowed, nil
		})
		load := Load{Concurrency: 1, Rate: 9, Duration: 7 * time.Second, Timeout: time.Minute}
		start := time.Now()
		all, err := load.Alternate(t.Context(), someQuestions(), func(string, time.Duration, time.Duration) {},
			Measurand{Name: "stalls", Asker: stalls}, Measurand{Name: "steady", Asker: answerIn(time.Millisecond, "", &asked)})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 14*time.Second {
			t.Errorf("twice 7 seconds took %v", took)
		}
		for i, longest := range []time.Duration{3 * time.Second, time.Millisecond} {
			m := all[i]
			if m.Slices != 1 || m.Calls != 63 || m.Unsent != 0 || m.PerSecond != 9 || !within(m.Latency.Max, longest) || m.Late == nil {
				t.Errorf("%+v", m)
			}
		}
		// 27 of 63 calls were due in the three seconds: half of those, and more, waited a second and a half.
		if late := all[0].Latency; late.P90 < 1_500_000 {
			t.Errorf("calls that a stall kept from being made are forgotten: %+v", late)
		}
		if late := all[1].Late; late.Max > 1 {
			t.Errorf("the steady one's calls are late by %+v", late)
		}
	})
}

// TestTallyAdds merges two slices, and has what each of them counted.
func TestTallyAdds(t *testing.T) {
	yes, no := Question{"1", "10", true}, Question{"2", "10", false}
	a, b := newTally(), newTally()
	a.record(yes, true, nil, time.Millisecond, 2*time.Millisecond)
	a.record(no, false, nil, time.Millisecond, 4*time.Millisecond)
	a.next, a.elapsed, a.unsent = 3, 2*time.Second, 1
	b.record(yes, false, nil, 0, 6*time.Millisecond)
	b.record(no, false, errors.New("gone"), 0, 8*time.Millisecond)
	b.next, b.elapsed, b.unsent = 7, 3*time.Second, 4
	a.add(b)
	if a.allowed != 1 || a.denied != 2 || a.failed != 1 || a.wrongs != 1 || len(a.wrong) != 1 || a.fault == nil ||
		a.next != 7 || a.elapsed != 5*time.Second || a.unsent != 5 || a.latency.TotalCount() != 4 || a.late.TotalCount() != 4 {
		t.Errorf("%+v", a)
	}
	if l := latency(a.latency); !within(l.Max, 8*time.Millisecond) || !within(l.P50, 4*time.Millisecond) {
		t.Errorf("%+v", l)
	}
}

// TestAlternationEnds has the second of three not answer: in a warm-up it is all that is
// told, and later what was measured until then.
func TestAlternationEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		calls := 0
		dies := server(func(_ context.Context, q Question) (bool, error) {
			time.Sleep(time.Millisecond)
			if calls++; calls > 50 {
				return false, errors.New("gone")
			}
			return q.Allowed, nil
		})
		fine := Measurand{Name: "fine", Asker: answerIn(time.Millisecond, "", &asked)}
		for _, tc := range []struct {
			warmup time.Duration
			want   []string
		}{{10 * time.Millisecond, []string{"fine", "dies"}}, {time.Second, []string{"dies"}}} {
			calls = 0
			load := Load{Concurrency: 1, Duration: time.Second, Warmup: tc.warmup, Timeout: time.Minute}
			all, err := load.Alternate(t.Context(), someQuestions(), func(string, time.Duration, time.Duration) {},
				fine, Measurand{Name: "dies", Asker: dies}, Measurand{Name: "after", Asker: fine.Asker})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, m := range all {
				names = append(names, m.Name)
			}
			if last := all[len(all)-1]; !slices.Equal(names, tc.want) || last.Failed != mostFailed || last.Fault == "" {
				t.Errorf("after a warm-up of %v: %q, %+v", tc.warmup, names, last)
			}
		}
	})
}

// TestSlicesProcessorTime has two that work here take turns: between them they have used
// what this process has, in all slices and not in the last only.
func TestSlicesProcessorTime(t *testing.T) {
	self := Processes{os.Getpid()}
	before, err := self.time()
	if err != nil {
		t.Skip(err)
	}
	works := server(func(_ context.Context, q Question) (bool, error) {
		for start := time.Now(); time.Since(start) < time.Millisecond; {
			continue
		}
		return q.Allowed, nil
	})
	load := Load{Concurrency: 1, Duration: 500 * time.Millisecond, Timeout: time.Minute}
	all, err := load.Alternate(t.Context(), someQuestions(), func(string, time.Duration, time.Duration) {},
		Measurand{Name: "one", Asker: works, Processes: self}, Measurand{Name: "other", Asker: works, Processes: self})
	if err != nil {
		t.Fatal(err)
	}
	after, err := self.time()
	if err != nil {
		t.Fatal(err)
	}
	used, counted := (after - before).Seconds(), all[0].CPU.Seconds+all[1].CPU.Seconds
	if counted > used+0.001 || counted < used/2 {
		t.Errorf("%v s of %v s are counted", counted, used)
	}
	for _, m := range all {
		if want := m.CPU.Seconds * 1e6 / float64(m.Calls); m.CPU.MicrosPerCall < want*0.99 || m.CPU.MicrosPerCall > want*1.01 {
			t.Errorf("%v us a call of %d in %v s", m.CPU.MicrosPerCall, m.Calls, m.CPU.Seconds)
		}
	}
}
