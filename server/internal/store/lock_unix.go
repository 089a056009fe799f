//go:build unix

package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockName is the name of the lock's file in the data directory.
const lockName = "behalf.lock"

// lock is held by the one process that has a data directory open. The system gives it back
// when the process ends, however it ends; the file stays and says who had it last.
type lock struct{ file *os.File }

// takeLock takes the lock of a directory, and writes into it who has it.
func takeLock(dir, address string) (*lock, error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data directory: %w", err)
	}
	l := &lock{file}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(file, 256)) // a holder that cannot be read is named as one
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, &InUseError{Dir: dir, Holder: strings.TrimSpace(string(holder))}
	}
	text := fmt.Sprintf("process %d", os.Getpid())
	if address != "" {
		text += ", reached at " + address
	}
	if err := l.sign(text + "\n"); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return l, nil
}

func (l *lock) sign(text string) error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// release gives the lock back.
func (l *lock) release() error { return l.file.Close() }
