package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// backupName is the pattern of the names of copies that are being made, in the data directory.
const backupName = "behalf-backup-*.tmp"

// backupLook is how often a copy is looked at to see how far it has come.
const backupLook = 200 * time.Millisecond

// Backup writes a copy of the file as of one revision and returns it open for reading,
// while writes go on. The copy has no name any more and is gone when it is closed. Only one
// is made at a time, so that callers cannot fill the disk; the next waits. progress is told
// of bytes, and may be nil.
func (s *Store) Backup(ctx context.Context, progress func(done, total int64)) (_ *os.File, err error) {
	select {
	case s.backup <- struct{}{}:
		defer func() { <-s.backup }()
	case <-ctx.Done():
		return nil, goneError(ctx)
	}
	if err := s.running(); err != nil {
		return nil, err
	}
	dir := filepath.Dir(s.cfg.Path)
	if err := removeBackups(dir); err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	file, err := os.CreateTemp(dir, backupName) // for its owner alone
	if err != nil {
		return nil, fmt.Errorf("back up: %w", err)
	}
	defer func() {
		err = errors.Join(err, os.Remove(file.Name()))
		if err != nil {
			_ = file.Close()
		}
	}()
	if err := CopyInto(ctx, s.cfg.Path, file.Name(), progress); err != nil {
		if full(err) {
			return nil, &writeError{"back up", err}
		}
		return nil, fmt.Errorf("back up: %w", err)
	}
	return file, nil
}

// removeBackups removes what a process left that ended while it made a copy.
func removeBackups(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, backupName))
	if err != nil {
		return err
	}
	for _, name := range left {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// CopyInto writes a copy of a database as of one revision into an empty file. Its pages have
// checksums when those of the database do.
func CopyInto(ctx context.Context, path, into string, progress func(done, total int64)) error {
	return damage(ctx, path, copyInto(ctx, path, into, progress))
}

func copyInto(ctx context.Context, path, into string, progress func(done, total int64)) (err error) {
	db, err := sqlite.Inspect(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var total int64
	if err := db.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&total); err != nil {
		return err
	}
	copied := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(ctx, "VACUUM INTO ?", into)
		copied <- err
	}()
	look := time.NewTicker(backupLook)
	defer look.Stop()
	for {
		select {
		case err := <-copied:
			return err
		case <-look.C:
			if at, err := os.Stat(into); err == nil && progress != nil {
				progress(min(at.Size(), total), total)
			}
		}
	}
}

// Rename gives a copy the identity of a store of its own: what was handed out by the store
// that it was copied from is refused by this one.
func Rename(ctx context.Context, path string) (err error) {
	db, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	result, err := db.ExecContext(ctx, "UPDATE store SET value = ? WHERE name = ?", newID(), keyID)
	if err != nil {
		return fmt.Errorf("give the store a new id: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("give the store a new id: it had %d: %w", n, err)
	}
	return nil
}
