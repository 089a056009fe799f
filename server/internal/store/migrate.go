package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

// migrate brings the file to the program's version. What was in it is copied first, beside
// it: a migration goes forward only, and the copy is the way back.
func (s *Store) migrate(ctx context.Context) error {
	list := s.cfg.Migrations
	if list == nil {
		var err error
		if list, err = migrations.OfSQLite(); err != nil {
			return err
		}
	}
	state, err := sqlite.State(ctx, s.write)
	if err != nil {
		return err
	}
	if err := state.Admit(len(list)); err != nil {
		return err
	}
	pending := state.Pending(list)
	if len(pending) == 0 {
		return nil
	}
	if state.Version > 0 {
		if err := s.keepCopy(ctx, fmt.Sprintf("v%d", state.Version)); err != nil {
			return err
		}
	}
	if err := sqlite.Apply(ctx, s.write, list); err != nil {
		return errors.Join(err, s.dropCopy(ctx, state))
	}
	s.cfg.Logger.InfoContext(ctx, "store migrated", "path", s.cfg.Path, "from", state.Version, "to", len(list), "copy", s.kept)
	return nil
}

// keepCopy copies the file beside it before something is done to it that cannot be undone,
// and remembers the copy's name. version says what the copy is of. Of one opening of the
// store, the first copy is the way back; no second one is made.
func (s *Store) keepCopy(ctx context.Context, version string) (err error) {
	if s.kept != "" {
		return nil
	}
	dir := filepath.Dir(s.cfg.Path)
	if err := removeBackups(dir); err != nil {
		return fmt.Errorf("copy the database before it is migrated: %w", err)
	}
	file, err := os.CreateTemp(dir, backupName) // for its owner alone
	if err != nil {
		return fmt.Errorf("copy the database before it is migrated: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	defer func() { err = errors.Join(err, file.Close()) }()
	err = CopyInto(ctx, s.cfg.Path, file.Name(), nil)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return fmt.Errorf("nothing was migrated, as the database could not be copied before: make room in %s, and start again: %w", dir, err)
	}
	if s.kept, err = nameCopy(file.Name(), s.cfg.Path, version); err != nil {
		return fmt.Errorf("keep the copy of the database: %w", err)
	}
	return nil
}

// dropCopy removes the copy when the migration that it was made for has done nothing: a
// server that is started again and again must not fill the disk.
func (s *Store) dropCopy(ctx context.Context, before migrations.State) error {
	state, err := sqlite.State(ctx, s.write)
	if err != nil || state != before || s.kept == "" {
		return err
	}
	err = os.Remove(s.kept)
	s.kept = ""
	return err
}

// nameCopy gives a copy its name, behalf.v3.db for version 3 of behalf.db. One of that name
// stays: it is from an earlier try, or from before a copy was restored.
func nameCopy(from, path, version string) (string, error) {
	suffix := filepath.Ext(path)
	stem := strings.TrimSuffix(path, suffix) + "." + version
	for n := 1; ; n++ {
		name := stem + suffix
		if n > 1 {
			name = fmt.Sprintf("%s-%d%s", stem, n, suffix)
		}
		_, err := os.Lstat(name)
		switch {
		case err == nil:
			continue
		case !errors.Is(err, os.ErrNotExist):
			return "", err
		}
		if err := os.Rename(from, name); err != nil { // nobody else writes here: the lock is held
			return "", err
		}
		return name, syncDir(filepath.Dir(path))
	}
}

// syncDir lets the names in a directory reach the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// KeepCopy copies the file beside it, unless that was done since it was opened, and returns
// the copy's name. version says what the copy is of. It is for changes that cannot be undone
// and must come before any write of this process.
func (s *Store) KeepCopy(ctx context.Context, version string) (string, error) {
	err := s.keepCopy(ctx, version)
	return s.kept, err
}

// Serves reports whether who has the data directory can be reached, and so keeps it: others,
// such as a migration, give it back when they are done.
func (e *InUseError) Serves() bool { return strings.Contains(e.Holder, "reached at") }
