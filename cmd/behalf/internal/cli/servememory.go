package cli

import (
	"errors"
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

const (
	// limitedShare is the part of a container's memory, in percent, that Go may fill. The
	// rest is for what Go does not count: SQLite's pages in the kernel, stacks of threads.
	limitedShare = 90
	// limitedGOGC lets garbage grow to twice what is alive where a limit bounds it anyway:
	// collecting is then half as often, and near the limit as often as it takes.
	limitedGOGC = 200
)

// limitMemory has the garbage collector heed the limit of the container that the server runs
// in, as it would otherwise grow past it and be killed. What GOMEMLIMIT and GOGC say in the
// environment stays.
func limitMemory(logger *slog.Logger, lookup func(string) (string, bool), container func() (uint64, error)) {
	if text, given := lookup("GOMEMLIMIT"); given && text != "" {
		return
	}
	limit, err := container()
	switch {
	case errors.Is(err, memlimit.ErrNoLimit), errors.Is(err, memlimit.ErrNoCgroup), errors.Is(err, memlimit.ErrCgroupsNotSupported):
		return
	case err != nil:
		logger.Warn("memory is not limited: the container's limit cannot be read", "error", err)
		return
	case limit == 0 || limit > math.MaxInt64/limitedShare:
		return
	}
	bytes := int64(limit / 100 * limitedShare)
	debug.SetMemoryLimit(bytes)
	if text, given := lookup("GOGC"); !given || text == "" {
		debug.SetGCPercent(limitedGOGC)
	}
	logger.Info("memory is limited", "bytes", bytes, "container", limit)
}
