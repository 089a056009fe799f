//go:build linux

package store_test

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// moments is how often the power fails. In full: go test -run '^TestPowerLoss' -moments 500.
var moments = flag.Int("moments", 30, "how often the power fails in TestPowerLoss")

const (
	recordedRuns  = 2   // between which the store is closed and opened
	recordedSteps = 250 // of each walker in each run: enough for the log to be copied back
)

// recordWrites walks in the directory, with synchronous as arg says, and leaves a recording
// of what it wrote and was answered beside it.
func recordWrites(ctx context.Context, dir, arg string) error {
	r, err := record()
	if err != nil {
		return err
	}
	for range recordedRuns {
		if err := recordRun(ctx, r, filepath.Join(dir, "data"), arg); err != nil {
			return err
		}
	}
	runtime.KeepAlive(r)
	file, err := os.Create(filepath.Join(dir, "recording"))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	encoder := gob.NewEncoder(out)
	for i := range r.entries {
		if err := encoder.Encode(&r.entries[i]); err != nil {
			return err
		}
	}
	return errors.Join(out.Flush(), file.Close())
}

// recordRun opens the store, walks and closes it.
func recordRun(ctx context.Context, r *recorder, dir, synchronous string) error {
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, "behalf.db")})
	if err != nil {
		return err
	}
	if err := s.Pragma(ctx, "PRAGMA synchronous = "+synchronous); err != nil {
		return err
	}
	at, err := inspect(ctx, s)
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	faults := make([]error, walkers)
	for w, from := range at {
		wait.Go(func() {
			for n := from + 1; n <= from+recordedSteps; n++ {
				if _, err := walk(ctx, s, w, n); err != nil {
					faults[w] = err
					return
				}
				r.answer(w, n)
			}
		})
	}
	wait.Wait()
	return errors.Join(append(faults, s.Close())...)
}

// recording returns what a process that walks wrote and was answered.
func recording(t *testing.T, synchronous string) []entry {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := process(t, "record", dir, synchronous).CombinedOutput(); err != nil {
		t.Fatalf("record: %v\n%s", err, out)
	}
	file, err := os.Open(filepath.Join(dir, "recording"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	var entries []entry
	for decoder := gob.NewDecoder(bufio.NewReader(file)); ; {
		var e entry
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF):
			return entries
		case err != nil:
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
}

// lose lets the power fail at random moments of a recording, and returns what was wrong
// after each of them for which something was.
func lose(t *testing.T, entries []entry, random *rand.Rand) (wrong []string) {
	t.Helper()
	start := slices.IndexFunc(entries, func(e entry) bool { return e.Op == opAnswer })
	var at []int
	for i := range *moments {
		among := len(entries) + 1
		if i%5 == 0 {
			among = start // the first start is short, and its own danger
		}
		at = append(at, random.IntN(among))
	}
	slices.Sort(at)
	d := newDisk()
	dir := t.TempDir()
	for i, moment := range at {
		for d.n < moment {
			d.see(entries[d.n])
		}
		place := filepath.Join(dir, fmt.Sprint(i))
		if err := os.Mkdir(place, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := d.fail(place, random); err != nil {
			t.Fatal(err)
		}
		if err := survived(t.Context(), place, d.acked); err != nil {
			wrong = append(wrong, fmt.Sprintf("moment %d of %d: %v", moment, len(entries), err))
		}
		if err := os.RemoveAll(place); err != nil {
			t.Fatal(err)
		}
	}
	return wrong
}

// survived opens what a disk has after the power failed, and fails unless every answered
// step is there, none is there in part, graph and file are equal, and the store goes on.
func survived(ctx context.Context, dir string, acked places) (err error) {
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(dir, "behalf.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	at, err := inspect(ctx, s)
	if err != nil {
		return err
	}
	for w, n := range at {
		if n < acked[w] || n > acked[w]+1 {
			return fmt.Errorf("walkers are at %d, and were answered at %d", at, acked)
		}
	}
	if _, err := walk(ctx, s, 0, at[0]+1); err != nil {
		return err
	}
	_, err = inspect(ctx, s)
	return err
}

// census says what a recording has of each kind.
func census(entries []entry) string {
	n := make(map[op]int)
	for _, e := range entries {
		n[e.Op]++
	}
	return fmt.Sprintf("%d entries: %d writes, %d syncs, %d of the directory, %d truncations, %d files made, %d removed, %d answers",
		len(entries), n[opWrite], n[opSync], n[opSyncDir], n[opTruncate], n[opLink], n[opUnlink], n[opAnswer])
}

// TestPowerLoss rebuilds the files as the power may leave them at any moment of the first
// start, of work, of a close and of a second start.
func TestPowerLoss(t *testing.T) {
	entries := recording(t, "FULL")
	wrong := lose(t, entries, rand.New(rand.NewPCG(*seed, 2)))
	for _, text := range wrong {
		t.Errorf("seed %d, %s", *seed, text)
	}
	t.Logf("%d moments of %s", *moments, census(entries))
}

// TestPowerLossFindsMissingSyncs shows that TestPowerLoss can fail: with less than a sync
// for every commit it does.
func TestPowerLossFindsMissingSyncs(t *testing.T) {
	for _, synchronous := range []string{"NORMAL", "OFF"} {
		t.Run(synchronous, func(t *testing.T) {
			entries := recording(t, synchronous)
			wrong := lose(t, entries, rand.New(rand.NewPCG(*seed, 3)))
			if len(wrong) == 0 {
				t.Fatalf("nothing is wrong after %d moments of %s", *moments, census(entries))
			}
			first, _, _ := strings.Cut(wrong[0], "\n")
			t.Logf("wrong after %d of %d moments of %s; first %s", len(wrong), *moments, census(entries), first)
		})
	}
}
