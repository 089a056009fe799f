package postgres

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockTick is the unit of the times in /proc: a hundredth of a second wherever Linux runs
// Postgres.
const clockTick = 10 * time.Millisecond

// CPU returns how much processor time the server's processes have taken since its start, those
// that have ended included. A test or benchmark where /proc does not say is skipped.
func (s *Server) CPU(t testing.TB) time.Duration {
	t.Helper()
	s.start(t)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // a fault of the pattern only
	if len(stats) == 0 {
		t.Skip("needs /proc, to know what Postgres takes")
	}
	parents, times := make(map[int]int), make(map[int]time.Duration)
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended; its parent has its time
		}
		pid, parent, taken, err := parseStat(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		parents[pid], times[pid] = parent, taken
	}
	var total time.Duration
	for pid, taken := range times {
		for p := pid; p > 1; p = parents[p] {
			if p == s.keeper.Process.Pid {
				total += taken
				break
			}
		}
	}
	return total
}

// parseStat returns what a line of /proc/PID/stat says: see proc_pid_stat(5). The name, in
// parentheses, may have blanks and parentheses.
func parseStat(line string) (pid, parent int, taken time.Duration, err error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return 0, 0, 0, fmt.Errorf("not what Linux says of a process: %q", line)
	}
	fields := strings.Fields(line[end+1:])
	const (
		ppid  = 1  // places after the name
		utime = 11 // utime, stime, cutime and cstime
	)
	if len(fields) < utime+4 {
		return 0, 0, 0, fmt.Errorf("too few fields of a process: %q", line)
	}
	var ticks int
	for _, f := range fields[utime : utime+4] {
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, 0, 0, err
		}
		ticks += n
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(line[:open])); err == nil {
		parent, err = strconv.Atoi(fields[ppid])
	}
	return pid, parent, time.Duration(ticks) * clockTick, err
}
