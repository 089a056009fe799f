package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// LayerAudit is the SQL of the records of decisions in a data directory. It is a layer once
// their file is there: a server makes it as it should be. On Postgres they are in a table of
// the layer records.
const LayerAudit = "audit"

// auditFile returns the path of a data directory's file of audit records, empty when there is
// none.
func auditFile(dir string) (string, error) {
	path := filepath.Join(dir, auditName)
	there, err := hasDatabase(path)
	if !there {
		return "", err
	}
	return path, nil
}

// auditLayer adds how far a data directory's audit records have come, if it has any.
func auditLayer(ctx context.Context, dir string, layers []Layer) ([]Layer, error) {
	path, err := auditFile(dir)
	if err != nil || path == "" {
		return layers, err
	}
	list, err := migrations.OfAudit()
	if err != nil {
		return nil, err
	}
	db, have, err := inspect(ctx, path)
	if err != nil {
		return nil, err
	}
	l := recordsLayer(have, list)
	l.Name = LayerAudit
	return append(layers, l), db.Close()
}

// migrateAudit brings the audit records of a data directory to this release, which nobody
// else has open.
func migrateAudit(ctx context.Context, dir string) (err error) {
	path, err := auditFile(dir)
	if err != nil || path == "" {
		return err
	}
	list, err := migrations.OfAudit()
	if err != nil {
		return err
	}
	db, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	if err = sqlite.Apply(ctx, db, list); err != nil {
		err = fmt.Errorf("migrate %q: %w", path, err)
	}
	return errors.Join(err, db.Close())
}

// verifyAudit looks at every page and every record of a data directory's audit records, and
// returns how many there are.
func verifyAudit(ctx context.Context, dir string) (records int, err error) {
	path, err := auditFile(dir)
	if err != nil || path == "" {
		return 0, err
	}
	if err := store.CheckFile(ctx, path); err != nil {
		return 0, err
	}
	db, err := sqlite.Inspect(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := sqlite.State(ctx, db); err != nil {
		return 0, &store.DamagedError{File: path, Why: err.Error()}
	}
	var wrong int
	err = db.QueryRowContext(ctx, "SELECT count(*), count(*) - coalesce(sum(json_valid(record)), 0) FROM audit").Scan(&records, &wrong)
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d records are no JSON", wrong)
	}
	if err != nil {
		return 0, &store.DamagedError{File: path, Table: "audit", Why: err.Error()}
	}
	return records, nil
}
