package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

func TestLimitMemory(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	const none = math.MaxInt64
	for name, row := range map[string]struct {
		environ   map[string]string
		container uint64
		err       error
		limit     int64
		percent   int
		told      string
	}{
		"container":         {nil, 1_000_000_000, nil, 900_000_000, limitedGOGC, "bytes=900000000 container=1000000000"},
		"a percentage":      {map[string]string{"GOGC": "50"}, 1_000_000_000, nil, 900_000_000, 100, "bytes=900000000"},
		"a limit":           {map[string]string{"GOMEMLIMIT": "1GiB"}, 1_000_000_000, nil, none, 100, ""},
		"no limit":          {nil, 0, memlimit.ErrNoLimit, none, 100, ""},
		"no container":      {nil, 0, fmt.Errorf("look: %w", memlimit.ErrNoCgroup), none, 100, ""},
		"another system":    {nil, 0, memlimit.ErrCgroupsNotSupported, none, 100, ""},
		"as good as none":   {nil, math.MaxUint64 &^ 4095, nil, none, 100, ""},
		"nothing":           {nil, 0, nil, none, 100, ""},
		"it cannot be read": {nil, 0, errors.New("the disk is on fire"), none, 100, "on fire"},
	} {
		debug.SetMemoryLimit(none)
		debug.SetGCPercent(100)
		var log strings.Builder
		limitMemory(slog.New(slog.NewTextHandler(&log, nil)),
			func(name string) (string, bool) { text, ok := row.environ[name]; return text, ok },
			func() (uint64, error) { return row.container, row.err })
		if got := debug.SetMemoryLimit(-1); got != row.limit {
			t.Errorf("%s: the limit is %d, want %d", name, got, row.limit)
		}
		if got := debug.SetGCPercent(100); got != row.percent {
			t.Errorf("%s: the percentage is %d, want %d", name, got, row.percent)
		}
		if got := log.String(); !strings.Contains(got, row.told) || (row.told == "") != (got == "") || strings.Count(got, "\n") > 1 {
			t.Errorf("%s: told %q", name, got)
		}
	}
}
