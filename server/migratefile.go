package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

const (
	// startPatience is how long a migration waits for a server that may be migrating the file
	// as it starts. Another migration is waited for until it ends.
	startPatience = 10 * time.Second
	lockTick      = 50 * time.Millisecond
)

// fileState is how far the layers of a data directory have come.
func fileState(ctx context.Context, dir string) ([]Layer, error) {
	layers, err := databaseState(ctx, dir)
	if err != nil {
		return nil, err
	}
	return auditLayer(ctx, dir, layers)
}

// databaseState is fileState without the audit records.
func databaseState(ctx context.Context, dir string) (_ []Layer, err error) {
	list, err := migrations.OfSQLite()
	if err != nil {
		return nil, err
	}
	datastore := Layer{Name: LayerDatastore, Current: "in the file", Wanted: "in the file"}
	path := filepath.Join(dir, databaseName)
	there, err := hasDatabase(path)
	if err != nil {
		return nil, err
	}
	if !there {
		return []Layer{recordsLayer(migrations.State{}, list), datastore, pendingAfter(thisSchema(), LayerRecords)}, nil
	}
	db, have, err := inspect(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	layers := []Layer{recordsLayer(have, list), datastore}
	since := migrations.State{}
	switch {
	case layers[0].Refused != "":
		return append(layers, Layer{Name: LayerSchema, Wanted: number(thisSchema().state().Version)}), nil
	case have.Version < storeMigration:
		return append(layers, pendingAfter(thisSchema(), LayerRecords)), nil
	case have.Version >= schemaMigration:
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		since, err = records.Inspect(ctx, tx).SchemaState(ctx)
		if err := errors.Join(err, tx.Rollback()); err != nil {
			return nil, err
		}
	}
	d, since, err := lookAt(ctx, db, thisSchema(), since)
	return append(layers, schemaLayer(thisSchema(), since, d, err)), nil
}

// hasDatabase reports whether a file is there with something in it.
func hasDatabase(path string) (bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Size() > 0, err
}

// inspect opens a file of the data directory to be read and says which migrations it has had.
func inspect(ctx context.Context, path string) (*sql.DB, migrations.State, error) {
	db, err := sqlite.Inspect(path)
	if err != nil {
		return nil, migrations.State{}, err
	}
	have, err := sqlite.State(ctx, db)
	if err != nil {
		return nil, have, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return db, have, nil
}

// Migrations of a file that must have been applied before it can be asked.
const (
	storeMigration  = 3 // relationships and their schema
	schemaMigration = 4 // versions of the schema
)

// migrateFile opens the database, which migrates it. Another that does so at the same
// time is waited for, and may have left nothing to do.
func migrateFile(ctx context.Context, cfg Config, before []Layer) ([]Layer, error) {
	deadline := time.Now().Add(startPatience)
	for {
		err := openAndClose(ctx, cfg)
		inUse, ok := errors.AsType[*store.InUseError](err)
		if !ok {
			return before, err
		}
		if inUse.Serves() && time.Now().After(deadline) {
			return before, fmt.Errorf("%w; a server of this release migrates the file by itself when it starts", err)
		}
		select {
		case <-ctx.Done():
			return before, ctx.Err()
		case <-time.After(lockTick):
		}
		if before, err = fileState(ctx, cfg.DataDir); err != nil || !Migrates(before) {
			return before, err
		}
	}
}

func openAndClose(ctx context.Context, cfg Config) error {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	s := &Server{cfg: cfg, registry: prometheus.NewRegistry()}
	err := s.openFile(ctx, "")
	if err == nil {
		err = migrateAudit(ctx, cfg.DataDir)
	}
	return errors.Join(err, s.Close())
}
