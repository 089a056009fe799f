package server

import (
	"context"
	"errors"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// postgresState is how far the layers of a Postgres database have come.
func postgresState(ctx context.Context, uri string) (_ []Layer, err error) {
	list, err := migrations.OfPostgres()
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(uri, postgres.Options{Conns: 2})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	have, err := postgres.State(ctx, db)
	if err != nil {
		return nil, err
	}
	tables, wanted, err := migration.State(ctx, uri)
	if err != nil {
		return nil, err
	}
	layers := []Layer{recordsLayer(have, list), tablesLayer(tables, wanted)}
	switch {
	case tables != wanted:
		return append(layers, pendingAfter(thisSchema(), LayerDatastore)), nil
	case layers[0].Refused != "":
		return append(layers, Layer{Name: LayerSchema, Wanted: number(thisSchema().state().Version)}), nil
	case len(layers[0].Pending) > 0:
		return append(layers, pendingAfter(thisSchema(), LayerRecords)), nil
	}
	relations, err := engine.OpenPostgres(ctx, uri)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, relations.Close()) }()
	spicedb, err := engine.New(engine.Config{Datastore: relations})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, spicedb.Close()) }()
	d, since, err := step{engine: spicedb, own: thisSchema(), rows: rowsOn(db)}.plan(ctx)
	return append(layers, schemaLayer(thisSchema(), since, d, err)), nil
}

// migrateAll brings all layers of a Postgres database to this release.
func migrateAll(ctx context.Context, cfg Config) (err error) {
	if err := migratePostgres(ctx, cfg.Datastore); err != nil {
		return err
	}
	s := &Server{cfg: cfg}
	relations, err := engine.OpenPostgres(ctx, cfg.Datastore)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, relations.Close()) }()
	if s.engine, err = engine.New(engine.Config{Logger: cfg.Logger, Datastore: relations}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.engine.Close()) }()
	return s.schemaOnPostgres(ctx)
}

// tablesLayer is the layer of SpiceDB's tables. It runs on those of its own release only.
func tablesLayer(have, wanted string) Layer {
	l := Layer{Name: LayerDatastore, Current: have, Wanted: wanted, Oldest: have}
	names, err := migration.Pending(have, wanted)
	if err != nil {
		l.Refused = err.Error()
	}
	for _, name := range names {
		l.Pending = append(l.Pending, Pending{What: name, Oldest: name})
	}
	return l
}
