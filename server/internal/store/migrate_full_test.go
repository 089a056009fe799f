//go:build linux

package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// migrateFull migrates a file on a disk without room for its copy, which is refused and
// leaves nothing, and again when there is room.
func migrateFull(ctx context.Context, path, ballast string) error {
	list, err := migrations.OfSQLite()
	if err != nil {
		return err
	}
	c := store.Config{Path: path, Migrations: append(list, migrations.Migration{
		Number: len(list) + 1, Name: "next.sql", Oldest: len(list), Text: "CREATE TABLE next (id INTEGER PRIMARY KEY) STRICT",
	})}
	if err := fill(ballast, 64<<10); err != nil {
		return err
	}
	if s, err := store.Open(ctx, c); err == nil {
		return errors.Join(errors.New("a full disk lets a migration go on without a copy"), s.Close())
	} else if !strings.Contains(err.Error(), "nothing was migrated") {
		return fmt.Errorf("a migration on a full disk: %w", err)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "behalf*v*"))
	if err != nil || len(left) > 0 {
		return fmt.Errorf("a copy that found no room left %q, %w", left, err)
	}
	s, err := store.Open(ctx, c)
	if err != nil {
		return fmt.Errorf("with room: %w", err)
	}
	left, err = filepath.Glob(filepath.Join(filepath.Dir(path), "behalf.v*.db"))
	if len(left) != 1 {
		err = errors.Join(err, fmt.Errorf("the copies are %q", left))
	}
	for _, name := range left { // the next round begins with a new file
		err = errors.Join(err, os.Remove(name))
	}
	return errors.Join(err, s.Close())
}
