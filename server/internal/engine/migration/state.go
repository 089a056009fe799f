package migration

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/authzed/spicedb/pkg/cmd"
	"github.com/jackc/pgx/v5"
)

// Names are the migrations of the embedded release of SpiceDB, in order. It does not tell
// them but for the last: a test holds this list against that and against the database.
var Names = []string{
	"1eaeba4b8a73", "add-reverse-index", "add-unique-living-ns", "add-transaction-timestamp-index",
	"change-transaction-timestamp-default", "add-gc-index", "add-unique-datastore-id", "add-ns-config-id",
	"add-caveats", "add-xid-columns", "backfill-xid-add-indices", "add-xid-constraints", "drop-id-constraints",
	"drop-bigserial-ids", "add-gc-covering-index", "add-tuned-gc-index", "add-rel-by-alive-resource-relation-subject",
	"create-relationships-counters-table", "add-metadata-to-transaction-table",
	"add-watch-api-index-to-relation-tuple-table", "add-expiration-support", "add-expiration-cleanup-index",
	"add-index-for-transaction-gc", "add-schema-tables", "populate-schema-tables",
}

// NewerError is returned for tables of a release of SpiceDB that the embedded one does not know.
type NewerError struct{ Have, Known string }

// Error names both.
func (e *NewerError) Error() string {
	return fmt.Sprintf("SpiceDB's tables are of migration %s, and the newest that this release knows is %s: use a newer release", e.Have, e.Known)
}

// State returns the migration that SpiceDB's tables are of, empty before the first, and the
// one that the embedded release runs on. It runs on no other.
func State(ctx context.Context, uri string) (have, wanted string, err error) {
	if wanted, err = cmd.HeadRevision("postgres"); err != nil {
		return "", "", fmt.Errorf("ask SpiceDB for its migrations: %w", err)
	}
	// As SpiceDB itself connects, so that its tables are found where it puts them.
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return "", wanted, fmt.Errorf("connect to Postgres: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	there := false
	err = conn.QueryRow(ctx, "SELECT to_regclass('alembic_version') IS NOT NULL").Scan(&there)
	if err == nil && there {
		err = conn.QueryRow(ctx, "SELECT version_num FROM alembic_version").Scan(&have)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", wanted, fmt.Errorf("read the migration that SpiceDB's tables are of: %w", err)
	}
	return have, wanted, nil
}

// Pending returns the migrations that are to be run on tables of a migration. It fails with
// a *NewerError when the embedded release does not know that one.
func Pending(have, wanted string) ([]string, error) {
	if have == "" {
		return Names, nil
	}
	at := slices.Index(Names, have)
	if at < 0 {
		return nil, &NewerError{have, wanted}
	}
	return Names[at+1:], nil
}
