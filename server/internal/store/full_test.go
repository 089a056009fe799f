//go:build linux

package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// fills is how often the disk is filled. In full: go test -run '^TestDiskFull$' -fills 100.
var fills = flag.Int("fills", 3, "how often TestDiskFull fills its disk")

const (
	diskSize     = 16 << 20
	fillsPerDisk = 10 // so that the disk is not full of history
	refusals     = 20 // how often each walker is refused before there is room again
)

// TestDiskFull walks on a file system that is filled by others again and again. It is one of
// its own, that only the process which does so can see and that ends with it.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	cmd := process(t, "full", dir, fmt.Sprint(*fills, " ", *seed))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), errNoMount.Error()) {
		t.Skipf("a file system of one's own is not permitted here: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the disk left %v, %v", left, err)
	}
}

var errNoMount = errors.New("no file system can be mounted")

// fillDisk is the process of TestDiskFull.
func fillDisk(ctx context.Context, dir, arg string) error {
	var (
		times int
		from  uint64
	)
	if _, err := fmt.Sscan(arg, &times, &from); err != nil {
		return err
	}
	// Nothing that is mounted here is to be seen elsewhere.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	random := rand.New(rand.NewPCG(from, 5))
	for times > 0 {
		n := min(times, fillsPerDisk)
		if err := fillOne(ctx, dir, n, random); err != nil {
			return err
		}
		times -= n
	}
	return nil
}

// fillOne fills a new disk some times, and looks at the store once more after a restart.
func fillOne(ctx context.Context, dir string, times int, random *rand.Rand) (err error) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(diskSize)); err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	defer func() { err = errors.Join(err, syscall.Unmount(dir, 0)) }()
	path := filepath.Join(dir, "behalf.db")
	s, err := store.Open(ctx, store.Config{Path: path})
	if err != nil {
		return err
	}
	h := &hiker{s: s, ballast: filepath.Join(dir, "ballast")}
	for n := range times {
		if err := h.fillOnce(ctx, random); err != nil {
			return errors.Join(fmt.Errorf("full for the %dth time: %w", n+1, err), s.Close())
		}
	}
	if err := s.Close(); err != nil {
		return err
	}
	if h.s, err = store.Open(ctx, store.Config{Path: path}); err != nil {
		return err
	}
	tell("full %d times: %d steps, %d refused, %d reads of a full disk", times, h.steps.Load(), h.refused.Load(), h.reads.Load())
	return errors.Join(h.exact(ctx), h.s.Close(), migrateFull(ctx, path, h.ballast))
}

// hiker walks on a disk that gets full.
type hiker struct {
	s                     *store.Store
	ballast               string // the file that fills the disk
	at                    places // where each walker was answered last
	steps, refused, reads atomic.Int64
}

// fillOnce fills the disk but for a little, walks until every walker has been refused often,
// makes room, and walks on.
func (h *hiker) fillOnce(ctx context.Context, random *rand.Rand) error {
	ahead := 1 + random.IntN(20)
	if err := h.all(func(w int) error { return h.ahead(ctx, w, ahead) }); err != nil {
		return fmt.Errorf("with room: %w", err)
	}
	if err := fill(h.ballast, random.IntN(512<<10)); err != nil {
		return err
	}
	done := make(chan struct{})
	reading := make(chan error, 1)
	go func() { reading <- h.read(ctx, done) }()
	err := h.all(func(w int) error { return h.until(ctx, w) })
	close(done)
	if err = errors.Join(err, <-reading); err != nil {
		return err
	}
	if err := h.exact(ctx); err != nil {
		return err
	}
	if err := os.Remove(h.ballast); err != nil {
		return err
	}
	// The very next write of each must do.
	if err := h.all(func(w int) error { return h.ahead(ctx, w, 1) }); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return h.exact(ctx)
}

// all runs f for every walker at once.
func (h *hiker) all(f func(w int) error) error {
	var wait sync.WaitGroup
	faults := make([]error, walkers)
	for w := range faults {
		wait.Go(func() { faults[w] = f(w) })
	}
	wait.Wait()
	return errors.Join(faults...)
}

// ahead takes steps that must do.
func (h *hiker) ahead(ctx context.Context, w, n int) error {
	for range n {
		if _, err := h.s.Write(ctx, step(h.s, w, h.at[w]+1, nil)); err != nil {
			return err
		}
		h.at[w]++
		h.steps.Add(1)
	}
	return nil
}

// until takes steps until so many were refused, all for the same reason.
func (h *hiker) until(ctx context.Context, w int) error {
	for n := 0; n < refusals; {
		_, err := h.s.Write(ctx, step(h.s, w, h.at[w]+1, nil))
		switch {
		case err == nil:
			h.at[w]++
			h.steps.Add(1)
		case status.Code(err) == codes.ResourceExhausted:
			n++
			h.refused.Add(1)
		default:
			return fmt.Errorf("a step on a full disk: %w", err)
		}
	}
	return nil
}

// read reads from graph and file until done, and always finds whole steps.
func (h *hiker) read(ctx context.Context, done <-chan struct{}) error {
	for {
		revision, err := h.s.HeadRevision(ctx)
		if err != nil {
			return fmt.Errorf("read of a full disk: %w", err)
		}
		texts, err := graphTuples(ctx, h.s, revision.Revision)
		if err != nil || len(texts) != walkers*len(place(0, 1)) {
			return fmt.Errorf("read of a full disk: %q, %w", texts, err)
		}
		if at, err := rowPlaces(ctx, h.s); err != nil || at[0] == 0 {
			return fmt.Errorf("read of a full disk: walkers are at %d, %w", at, err)
		}
		h.reads.Add(1)
		select {
		case <-done:
			return nil
		default:
		}
	}
}

// exact fails unless the store has exactly what was answered.
func (h *hiker) exact(ctx context.Context) error {
	at, err := inspect(ctx, h.s)
	if err == nil && at != h.at {
		err = fmt.Errorf("walkers are at %d, and were answered at %d", at, h.at)
	}
	return err
}

// fill writes a file until a disk is full but for some bytes.
func fill(path string, but int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size := 0
	for block := make([]byte, 4096); ; {
		n, err := file.Write(block)
		size += n
		if errors.Is(err, syscall.ENOSPC) {
			return file.Truncate(int64(max(0, size-but)))
		}
		if err != nil {
			return err
		}
	}
}
