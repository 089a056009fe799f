package bench

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Processes are the processes of a server, by their ids. What they have started counts in.
type Processes []int

// clockTick is the unit of processor time in /proc, which Linux has the same everywhere.
const clockTick = 10 * time.Millisecond

// stat is a process as /proc tells of it.
type stat struct {
	parent int
	time   time.Duration // its own, and that of its children which have ended
}

// Validate says whether the processes run and can be measured.
func (p Processes) Validate() error {
	_, err := p.time()
	return err
}

// time returns the processor time that the processes have used so far: theirs and that
// of whatever they have started, running or ended.
func (p Processes) time() (time.Duration, error) {
	if len(p) == 0 {
		return 0, nil
	}
	all, err := running()
	if err != nil {
		return 0, err
	}
	counted := make(map[int]bool)
	for _, pid := range p {
		if _, ok := all[pid]; !ok {
			return 0, fmt.Errorf("no process %d runs", pid)
		}
		counted[pid] = true
	}
	var sum time.Duration
	for pid := range all {
		if below(all, pid, counted) {
			sum += all[pid].time
		}
	}
	return sum, nil
}

// below reports whether a process or one above it is among the given ones.
func below(all map[int]stat, pid int, of map[int]bool) bool {
	for range len(all) { // ids are used again: a reading can hold a circle
		if of[pid] {
			return true
		}
		s, ok := all[pid]
		if !ok {
			return false
		}
		pid = s.parent
	}
	return false
}

// running reads all processes.
func running() (map[int]stat, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("processor time is read from /proc, which this system does not have")
	}
	all := make(map[int]stat, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended meanwhile
		}
		if pid, s, ok := parseStat(text); ok {
			all[pid] = s
		}
	}
	return all, nil
}

// parseStat reads a line of /proc/PID/stat. The name of the program is in parentheses and
// may hold any.
func parseStat(text []byte) (pid int, s stat, ok bool) {
	opening, closing := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if opening < 0 || closing < opening {
		return 0, stat{}, false
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text[:opening])))
	fields := bytes.Fields(text[closing+1:]) // from the third, the state, on
	if err != nil || len(fields) < 15 {
		return 0, stat{}, false
	}
	if s.parent, err = strconv.Atoi(string(fields[1])); err != nil {
		return 0, stat{}, false
	}
	for _, field := range fields[11:15] { // user and system, own and of ended children
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, stat{}, false
		}
		s.time += time.Duration(ticks) * clockTick
	}
	return pid, s, true
}

// Process tells what a measured process is.
type Process struct {
	PID     int    `json:"pid"`
	Program string `json:"program,omitempty"`
	Version string `json:"version,omitempty"` // of a Go program: module and version
}

// Describe looks at the processes' programs.
func (p Processes) Describe() []Process {
	var all []Process
	for _, pid := range p {
		one := Process{PID: pid}
		exe := fmt.Sprintf("/proc/%d/exe", pid)
		if name, err := os.Readlink(exe); err == nil {
			one.Program = filepath.Base(name)
		} else if errors.Is(err, fs.ErrPermission) {
			one.Program = "another user's"
		}
		if info, err := buildinfo.ReadFile(exe); err == nil {
			one.Version = info.Main.Path + " " + info.Main.Version + ", " + info.GoVersion
		}
		all = append(all, one)
	}
	return all
}
