package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Schema is the Postgres schema that Behalf's own tables are in.
const Schema = "behalf"

// oldest is the oldest Postgres that will do, in the server's own way of counting.
const oldest = 14_00_00

// Is reports whether a datastore's name is that of a Postgres database.
func Is(uri string) bool {
	return strings.HasPrefix(uri, "postgres://") || strings.HasPrefix(uri, "postgresql://")
}

// Options say what a pool of connections is for. The zero Options write.
type Options struct {
	ReadOnly bool // the pool never writes, and each of its transactions sees one state
	Conns    int  // how many connections there may be; 0 is one
}

// Open returns a pool of connections, whose statements find Behalf's own tables without
// the schema's name. It connects when it is first used.
func Open(uri string, o Options) (*sql.DB, error) {
	config, err := pgx.ParseConfig(uri)
	if err != nil {
		return nil, fmt.Errorf("read the name of the Postgres database: %w", err) // pgx takes the password out
	}
	config.RuntimeParams["search_path"] = Schema
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "behalf"
	}
	if o.ReadOnly {
		config.RuntimeParams["default_transaction_read_only"] = "on"
		config.RuntimeParams["default_transaction_isolation"] = "repeatable read"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(max(o.Conns, 1))
	db.SetMaxIdleConns(max(o.Conns, 1))
	return db, nil
}

// Check reports what the server lacks that Behalf needs, all of it.
func Check(ctx context.Context, db *sql.DB) error {
	var (
		number           int
		version, tracked string
	)
	err := db.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int,
		current_setting('server_version'), current_setting('track_commit_timestamp')`).Scan(&number, &version, &tracked)
	if err != nil {
		return fmt.Errorf("ask Postgres for its settings: %w", err)
	}
	var faults []error
	if number < oldest {
		faults = append(faults, fmt.Errorf("this is Postgres %s; 14 or newer is needed", version))
	}
	if tracked != "on" {
		faults = append(faults, errors.New("track_commit_timestamp is "+tracked+", and without it no change can be followed: "+
			"run `ALTER SYSTEM SET track_commit_timestamp = on` as a superuser, then restart Postgres"))
	}
	return errors.Join(faults...)
}
