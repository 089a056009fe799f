package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// The layers of a database, in the order in which they are migrated.
const (
	LayerRecords   = "records"   // the SQL of records and, in a file, of relationships
	LayerDatastore = "datastore" // SpiceDB's own tables in Postgres
	LayerSchema    = "schema"    // Behalf's own part of the relations schema
)

// Layer is how far one layer of a database has come.
type Layer struct {
	Name    string `json:"layer"`
	Current string `json:"current"` // empty before the first migration
	Wanted  string `json:"wanted"`  // of this release
	// Oldest is the oldest version that a program may know to run on the layer as it is.
	Oldest string `json:"oldest,omitempty"`
	// Pending is what a migration would do, in order.
	Pending []Pending `json:"pending"`
	// Refused is why this program cannot migrate the layer or run on it; empty when it can.
	Refused string `json:"refused,omitempty"`
}

// Pending is one thing that a migration would do.
type Pending struct {
	What string `json:"what"`
	// Oldest is the oldest version that a program may know to run on the layer afterwards.
	Oldest string `json:"oldest,omitempty"`
	// Relationships is how many live relationships it is about.
	Relationships int64 `json:"relationships,omitempty"`
}

// MigrationState returns how far each layer of a database has come. Nothing is changed, and
// a server may have the database open. Of the configuration, DataDir and Datastore are
// looked at.
func MigrationState(ctx context.Context, cfg Config) ([]Layer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validateDatastore(); err != nil {
		return nil, err
	}
	if cfg.Datastore == DatastoreSQLite {
		return fileState(ctx, cfg.DataDir)
	}
	return postgresState(ctx, cfg.Datastore)
}

// Migrate brings a database to this release and returns what was done, nothing when that
// was nothing. Of several that do so at once one does. A file is copied before.
func Migrate(ctx context.Context, cfg Config) (before []Layer, err error) {
	before, err = MigrationState(ctx, cfg)
	if err != nil || !Migrates(before) {
		return before, err
	}
	if err := refusals(before); err != nil {
		return before, err
	}
	cfg = Config{DataDir: cfg.DataDir, Datastore: cfg.Datastore, Logger: cfg.Logger, Loading: cfg.Loading, Migrate: true}
	cfg = cfg.withDefaults()
	if cfg.Datastore == DatastoreSQLite {
		return migrateFile(ctx, cfg, before)
	}
	return before, migrateAll(ctx, cfg)
}

// Migrates reports whether anything is pending, or refused.
func Migrates(layers []Layer) bool {
	for _, l := range layers {
		if len(l.Pending) > 0 || l.Refused != "" {
			return true
		}
	}
	return false
}

func refusals(layers []Layer) error {
	var faults []error
	for _, l := range layers {
		if l.Refused != "" {
			faults = append(faults, fmt.Errorf("%s: %s", l.Name, l.Refused))
		}
	}
	return errors.Join(faults...)
}

// recordsLayer is the layer of numbered files.
func recordsLayer(have migrations.State, list []migrations.Migration) Layer {
	l := Layer{Name: LayerRecords, Current: number(have.Version), Wanted: number(len(list)), Oldest: number(have.Oldest)}
	if err := have.Admit(len(list)); err != nil {
		l.Refused = err.Error()
		return l
	}
	for _, m := range have.Pending(list) {
		l.Pending = append(l.Pending, Pending{What: m.Name, Oldest: number(m.Oldest)})
	}
	return l
}

// schemaLayer is the layer of Behalf's own definitions.
func schemaLayer(own ownSchema, have migrations.State, d *engine.Difference, err error) Layer {
	wanted := own.state()
	l := Layer{Name: LayerSchema, Current: number(have.Version), Wanted: number(wanted.Version), Oldest: number(have.Oldest)}
	if err == nil {
		err = own.admit(have)
	}
	if err == nil {
		err = d.Orphans()
	}
	if err != nil {
		l.Refused = err.Error()
	}
	if d == nil {
		return l
	}
	for _, c := range d.Changes {
		l.Pending = append(l.Pending, Pending{What: c.What + " " + c.Of, Oldest: number(wanted.Oldest), Relationships: c.Touches})
	}
	if len(d.Changes) == 0 && have.Version < wanted.Version {
		l.Pending = append(l.Pending, Pending{What: "version " + number(wanted.Version), Oldest: number(wanted.Oldest)})
	}
	return l
}

// pendingAfter is the layer of a schema that can only be looked at after what is before it.
func pendingAfter(own ownSchema, before string) Layer {
	return Layer{Name: LayerSchema, Wanted: number(own.state().Version),
		Pending: []Pending{{What: "what it changes is known after the layer " + before}}}
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// lookAt compares the schema of a file that nobody has opened for it with a release's.
func lookAt(ctx context.Context, db *sql.DB, own ownSchema, since migrations.State) (*engine.Difference, migrations.State, error) {
	text, err := store.Schema(ctx, db)
	if err != nil {
		return nil, since, err
	}
	live, err := engine.ParseSchema(text)
	if err != nil {
		return nil, since, fmt.Errorf("the live schema does not compile: %w", err)
	}
	if since.Version == 0 && len(live.Names()) > 0 {
		since = migrations.State{Version: 1, Oldest: 1}
	}
	wanted := live
	if since.Version <= own.state().Version {
		if wanted, _, err = engine.Own(own.text)(ctx, live); err != nil {
			return nil, since, err
		}
	}
	d, err := engine.Compare(live, wanted, own.renames(since.Version))
	if err != nil {
		return nil, since, err
	}
	return d, since, d.Count(func(definition, name string) (engine.Census, error) {
		return store.Census(ctx, db, definition, name)
	})
}
