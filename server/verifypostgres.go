package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// VerifyPostgres looks for writes that were put aside because they could not be finished, and
// fails when there are any: it names each and says what can be done. Servers may run. Pages and
// indexes are for Postgres' own tools, such as pg_amcheck.
func VerifyPostgres(ctx context.Context, uri string) (err error) {
	db, err := postgres.Open(uri, postgres.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := postgres.Migrated(ctx, db); err != nil {
		return howToMigrate(err)
	}
	parked, err := outbox.ListParked(ctx, db)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	var faults []error
	for _, p := range parked {
		faults = append(faults, fmt.Errorf(
			"write %d (operation %s) is parked since %s, after %d attempts: %s; its relations may be written, its rows are not: once the cause "+
				"is gone run `UPDATE behalf.intent SET parked = NULL, retry = NULL, attempts = 0 WHERE number = %d`, and it is tried again",
			p.Number, p.Operation, p.Since.UTC().Format(time.RFC3339), p.Attempts, p.Why, p.Number))
	}
	return errors.Join(faults...)
}
