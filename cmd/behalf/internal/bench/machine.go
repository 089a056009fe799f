package bench

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine is what figures depend on besides the programs.
type Machine struct {
	CPU    string  `json:"cpu,omitempty"` // model
	Cores  int     `json:"cores"`
	Memory int64   `json:"memoryBytes,omitempty"`
	OS     string  `json:"os"`
	Arch   string  `json:"arch"`
	Go     string  `json:"go"`
	Load   float64 `json:"load,omitempty"` // average of the minute before
}

// ThisMachine looks at the machine that makes the calls.
func ThisMachine() Machine {
	m := Machine{CPU: entry("/proc/cpuinfo", "model name", ":"), Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.OS += " " + strings.TrimSpace(string(release))
	}
	if name := entry("/etc/os-release", "PRETTY_NAME", "="); name != "" {
		m.OS = strings.Trim(name, `"`) + ", " + m.OS
	}
	kilobytes, _, _ := strings.Cut(entry("/proc/meminfo", "MemTotal", ":"), " ")
	if n, err := strconv.ParseInt(kilobytes, 10, 64); err == nil {
		m.Memory = n << 10
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		minute, _, _ := strings.Cut(string(text), " ")
		m.Load, _ = strconv.ParseFloat(minute, 64)
	}
	return m
}

// entry returns the first value of a key in a file of keys and values.
func entry(file, key, separator string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "" // other systems tell it in other ways
	}
	for line := range strings.Lines(string(text)) {
		k, v, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
