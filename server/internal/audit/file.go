package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// file is a sink of JSON lines. It only ever appends, and goes on in a new file when its own
// was renamed or removed, so that others can rotate it in either way and need not say so.
type file struct {
	lines

	path   string
	mu     sync.Mutex // of opened and is, for sync, which runs beside write
	opened *os.File
	is     os.FileInfo
}

// openFile opens the file, to know at the start whether it can be written.
func openFile(path string, altinn bool) (*file, error) {
	f := &file{path: path, lines: lines{altinn: altinn}}
	return f, f.open()
}

func (f *file) name() string { return "file" }

func (f *file) open() error {
	opened, err := f.append()
	if err != nil {
		return err
	}
	is, err := opened.Stat()
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	f.mu.Lock()
	f.opened, f.is = opened, is
	f.mu.Unlock()
	f.torn = is.Mode().IsRegular() && is.Size() > 0 && !endsLine(opened, is.Size())
	if !is.Mode().IsRegular() {
		return nil
	}
	return syncDir(filepath.Dir(f.path))
}

func (f *file) append() (*os.File, error) {
	// It says who did what: whoever rotates it may make the new one readable to others.
	opened, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENXIO) {
		return os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0) // a pipe, which is not read back
	}
	return opened, err
}

// endsLine says whether the last byte of a file ends a line. When it cannot be read it is
// taken not to: an empty line is less than one that begins in another.
func endsLine(r io.ReaderAt, size int64) bool {
	var last [1]byte
	_, err := r.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}

// syncDir lets the names in a directory reach the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// follow opens the file anew when what its name stands for is another.
func (f *file) follow() error {
	if f.opened != nil {
		if now, err := os.Stat(f.path); err == nil && os.SameFile(now, f.is) {
			return nil
		}
		// What is in the old one must not be less safe for being the old one.
		if err := errors.Join(f.sync(), f.opened.Close()); err != nil {
			return err
		}
		f.mu.Lock()
		f.opened = nil
		f.mu.Unlock()
	}
	return f.open()
}

func (f *file) write(list []line) error {
	if err := f.follow(); err != nil {
		return err
	}
	if err := f.put(f.opened, list); err != nil {
		return fmt.Errorf("write %d records: %w", len(list), err)
	}
	return nil
}

func (f *file) sync() error {
	f.mu.Lock()
	opened, is := f.opened, f.is
	f.mu.Unlock()
	if opened == nil || !is.Mode().IsRegular() {
		return nil
	}
	if err := opened.Sync(); !errors.Is(err, os.ErrClosed) { // else it was synced, then closed
		return err
	}
	return nil
}

func (f *file) close() error {
	if f.opened == nil {
		return nil
	}
	return f.opened.Close()
}

// stream is a sink of JSON lines that others read as they come: standard output.
type stream struct {
	lines

	out io.Writer
}

func (s *stream) name() string { return "stdout" }

func (s *stream) write(list []line) error { return s.put(s.out, list) }

// sync does nothing: what was written is with whoever reads it.
func (s *stream) sync() error { return nil }

func (s *stream) close() error { return nil }
