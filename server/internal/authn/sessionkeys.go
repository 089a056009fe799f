package authn

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const sessionKeysFile = "session.keys"

// OpenSessionKeys returns the keys of a data directory that seal what sessions hold, as a
// text. next makes the first ones of an empty text, and later others when it is time.
func OpenSessionKeys(dir string, next func(text []byte) (is []byte, changed bool)) ([]byte, error) {
	path := filepath.Join(dir, sessionKeysFile)
	text, err := openPrivate(path, func() ([]byte, error) {
		first, _ := next(nil)
		return first, nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the session keys: %w", err)
	}
	is, changed := next(text)
	if !changed {
		return text, nil
	}
	if err := replacePrivate(path, is); err != nil {
		return nil, fmt.Errorf("renew the session keys: %w", err)
	}
	return is, nil
}

// ReadSessionKeys returns the keys in a file that servers of one database share.
func ReadSessionKeys(path string) ([]byte, error) {
	text, err := readPrivate(path)
	if err != nil {
		return nil, fmt.Errorf("read the session keys: %w", err)
	}
	return text, nil
}

// replacePrivate puts a file of mode 0600 in the place of another.
func replacePrivate(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(path))
}
