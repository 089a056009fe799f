package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	datastorecfg "github.com/authzed/spicedb/pkg/cmd/datastore"
	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// ErrNotMigrated is in the error of OpenPostgres when the tables are not those that this
// program works with.
var ErrNotMigrated = errors.New("the tables of SpiceDB are not those of this release")

// Sizes of the pools of connections, per server.
const (
	postgresReads  = 20
	postgresWrites = 10
	postgresLocks  = 4 // for those who hold or wait for a lock
)

// OpenPostgres opens SpiceDB's own engine over the Postgres database. It fails when the
// server lacks what is needed or the database is not migrated; the error says what to do.
func OpenPostgres(ctx context.Context, uri string) (datastore.Datastore, error) {
	return openShared(ctx, uri)
}

func openShared(ctx context.Context, uri string) (*postgresStore, error) {
	locks, err := postgres.Open(uri, postgres.Options{Conns: postgresLocks})
	if err != nil {
		return nil, err
	}
	if err := postgres.Check(ctx, locks); err != nil {
		return nil, errors.Join(err, locks.Close())
	}
	store, err := openPostgres(ctx, uri)
	if err != nil {
		return nil, errors.Join(err, locks.Close())
	}
	return &postgresStore{Datastore: store, locks: locks}, nil
}

func openPostgres(ctx context.Context, uri string) (datastore.Datastore, error) {
	reads, writes := datastorecfg.DefaultReadConnPool(), datastorecfg.DefaultWriteConnPool()
	reads.MaxOpenConns, reads.MinOpenConns = postgresReads, 1 // an idle server keeps few
	writes.MaxOpenConns, writes.MinOpenConns = postgresWrites, 1
	store, err := datastorecfg.NewDatastore(ctx,
		datastorecfg.DefaultDatastoreConfig().ToOption(),
		datastorecfg.WithEngine(datastorecfg.PostgresEngine),
		datastorecfg.WithURI(uri),
		datastorecfg.WithReadConnPool(*reads),
		datastorecfg.WithWriteConnPool(*writes),
		datastorecfg.WithEnableDatastoreMetrics(false), // they go to the default registry, once per process
		datastorecfg.WithRequestHedgingEnabled(false),
		// The consistency level that callers get by default sees every acknowledged write:
		// no quantum, no delay and no reuse of an older revision.
		datastorecfg.WithRevisionQuantization(time.Nanosecond),
		datastorecfg.WithMaxRevisionStalenessPercent(0),
		datastorecfg.WithFollowerReadDelay(0),
	)
	if err != nil {
		return nil, fmt.Errorf("open spicedb's postgres engine: %w", err)
	}
	state, err := store.ReadyState(ctx)
	if err == nil && !state.IsReady {
		err = fmt.Errorf("%w: %s", ErrNotMigrated, state.Message)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}
