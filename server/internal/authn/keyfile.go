package authn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// readPrivate returns the content of a file that only its owner may read, or root's that root
// has let our group read.
func readPrivate(path string) (content []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// The open file is asked, not the path, so that nothing can be swapped in between.
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" && !lent(info) {
		return nil, fmt.Errorf("%s has mode %04o and may be read or changed by others: chmod 600 it, or delete it to have a new one made", path, mode)
	}
	if info.Size() > maxSecret {
		return nil, fmt.Errorf("%s has %d bytes and is no key file", path, info.Size())
	}
	content = make([]byte, info.Size())
	if n, err := f.ReadAt(content, 0); n < len(content) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
}

// openPrivate returns the content of the file, which is made with the content that fill
// returns when there is none. Of two processes that make it at once, one wins and both
// return its content; a reader never sees half a file.
func openPrivate(path string, fill func() ([]byte, error)) ([]byte, error) {
	content, err := readPrivate(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if content, err = fill(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := createPrivate(path, content); err != nil {
		return nil, err
	}
	return readPrivate(path)
}

// createPrivate makes the file with mode 0600, and leaves one that is there.
func createPrivate(path string, content []byte) (err error) {
	// os.CreateTemp makes files of mode 0600.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	// A link, not a rename: it fails where a rename would replace the other's file.
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new directory entry survive a crash of the machine.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // which cannot, and does not need to
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
