package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// KeepBackup writes a backup to a file that must not exist yet. fill writes the copy into a
// file beside it, which only its owner can read; it gets its name when it is whole, on the
// disk and verified.
func KeepBackup(ctx context.Context, path string, fill func(io.Writer) error, progress func(done, total int)) (_ Verified, err error) {
	if _, err := os.Lstat(path); err == nil {
		return Verified{}, fmt.Errorf("%s exists; name a file that does not", path)
	}
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*.tmp")
	if err != nil {
		return Verified{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := errors.Join(fill(file), file.Sync(), file.Close()); err != nil {
		return Verified{}, err
	}
	found, err := VerifyFile(ctx, file.Name(), progress)
	if err != nil {
		return Verified{}, fmt.Errorf("the copy is not kept: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return Verified{}, err
	}
	return found, syncDir(dir)
}

// Restore makes a data directory of a backup. The directory must not exist, or be empty.
// The backup is verified first and stays as it is. The restored store has an identity of its
// own: revisions and cursors that were handed out after the backup are refused by it, and not
// taken for others. Keys that lie beside a database are made anew at the first start.
func Restore(ctx context.Context, backup, dataDir string, progress func(done, total int)) (_ Verified, err error) {
	found, err := VerifyFile(ctx, backup, progress)
	if err != nil {
		return Verified{}, err
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return Verified{}, fmt.Errorf("make the data directory: %w", err)
	}
	left, err := os.ReadDir(dataDir)
	if err != nil {
		return Verified{}, err
	}
	if len(left) > 0 {
		return Verified{}, fmt.Errorf("the data directory %s is not empty: it has %s; name one that is", dataDir, left[0].Name())
	}
	release, err := store.Hold(dataDir)
	if err != nil {
		return Verified{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	path := filepath.Join(dataDir, databaseName)
	// Under another name until it is whole: no start takes half of it for a database.
	partial := path + ".restoring"
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDatabase(partial))
		}
	}()
	if err := makeEmpty(partial); err != nil {
		return Verified{}, err
	}
	if err := store.CopyInto(ctx, backup, partial, nil); err != nil {
		return Verified{}, fmt.Errorf("copy the backup: %w", err)
	}
	if err := store.Rename(ctx, partial); err != nil {
		return Verified{}, err
	}
	if err := syncFile(partial); err != nil {
		return Verified{}, err
	}
	if err := os.Rename(partial, path); err != nil {
		return Verified{}, err
	}
	return found, syncDir(dataDir)
}

func makeEmpty(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncDir lets the names in a directory reach the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeDatabase removes a database with what SQLite keeps beside it.
func removeDatabase(path string) error {
	var faults []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
