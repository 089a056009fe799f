package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
)

// errSchemaNotMigrated is in the error of a start that may not migrate.
var errSchemaNotMigrated = errors.New("the relations schema is not that of this release")

// ownSchema is Behalf's own part of the relations schema as a release has it.
type ownSchema struct {
	text  string
	steps []relations.Step
}

// thisSchema is this release's.
func thisSchema() ownSchema { return ownSchema{relations.Schema, relations.Steps} }

// state returns how far a database is when it has the release's schema.
func (o ownSchema) state() (s migrations.State) {
	for _, step := range o.steps {
		s.Version, s.Oldest = step.Version, max(s.Oldest, step.Oldest)
	}
	return s
}

// admit refuses a release that is too old for what is live.
func (o ownSchema) admit(have migrations.State) error {
	if known := o.state().Version; have.Oldest > known {
		return &migrations.TooOldError{What: "relations schema", State: have, Known: known}
	}
	return nil
}

// renames returns what has another name than at a version, from its first name to its last.
func (o ownSchema) renames(since int) (all []relations.Rename) {
	for _, step := range o.steps {
		if step.Version <= since {
			continue
		}
		for _, r := range step.Renames {
			i := slices.IndexFunc(all, func(was relations.Rename) bool { return was.Definition == r.Definition && was.New == r.Old })
			if i < 0 {
				all = append(all, r)
				continue
			}
			all[i].New = r.New // once more
		}
	}
	return slices.DeleteFunc(all, func(r relations.Rename) bool { return r.Old == r.New })
}

// target is the release's schema, or what is live where that is of a later version. It is
// judged while nobody else can replace the schema.
func (o ownSchema) target(rows schemaRows) engine.Target {
	return func(ctx context.Context, live *engine.Schema) (*engine.Schema, string, error) {
		have, err := rows.state(ctx)
		if err != nil {
			return nil, "", err
		}
		if err := o.admit(have); err != nil {
			return nil, "", err
		}
		if have.Version > o.state().Version {
			return live, "", nil
		}
		return engine.Own(o.text)(ctx, live)
	}
}

// schemaRows are the rows that say which versions of the schema were made live.
type schemaRows struct {
	read  func(context.Context, func(*records.Tx) error) error
	write func(context.Context, func(context.Context, *records.Tx) error) error
}

func (r schemaRows) state(ctx context.Context) (s migrations.State, err error) {
	err = r.read(ctx, func(tx *records.Tx) error {
		s, err = tx.SchemaState(ctx)
		return err
	})
	return s, err
}

// rowsOf returns the rows of a database whose relations lie beside its records.
func rowsOf(s *records.Store) schemaRows { return schemaRows{s.Read, s.Write} }

// rowsOn returns the rows of a Postgres database.
func rowsOn(db *sql.DB) schemaRows {
	within := func(ctx context.Context, f func(*records.Tx) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("begin a transaction: %w", err)
		}
		defer func() { _ = tx.Rollback() }() // without effect once committed
		if err := f(records.OnPostgres(ctx, tx)); err != nil {
			return err
		}
		return tx.Commit()
	}
	return schemaRows{within, func(ctx context.Context, f func(context.Context, *records.Tx) error) error {
		return within(ctx, func(tx *records.Tx) error { return f(ctx, tx) })
	}}
}

// step is one bringing of the schema to a release.
type step struct {
	engine *engine.Engine
	own    ownSchema
	rows   schemaRows
	// copied makes the way back before relationships are rewritten; nil where there are
	// other ways.
	copied func(ctx context.Context, version string) error
	joined bool // rows and schema are written in one transaction
}

// plan returns what the step would do, and from where it goes on.
func (p step) plan(ctx context.Context) (*engine.Difference, migrations.State, error) {
	have, err := p.from(ctx)
	if err != nil {
		return nil, have, err
	}
	d, err := p.engine.DiffSchema(ctx, p.own.target(p.rows), p.own.renames(have.Version)...)
	return d, have, err
}

// from returns the version that is live. A schema from before versions were kept is the first.
func (p step) from(ctx context.Context) (migrations.State, error) {
	have, err := p.rows.state(ctx)
	if err != nil || have.Version > 0 {
		return have, err
	}
	live, err := p.engine.LiveSchema(ctx)
	if err == nil && len(live.Names()) > 0 {
		have = migrations.State{Version: 1, Oldest: 1}
	}
	return have, err
}

// run carries the step out. When it may not, and there is something to do, it fails with
// errSchemaNotMigrated.
func (p step) run(ctx context.Context, may bool) error {
	d, have, err := p.plan(ctx)
	if err != nil {
		return err
	}
	wanted := p.own.state()
	if len(d.Changes) == 0 && have.Version >= wanted.Version {
		return p.note(ctx, have)
	}
	if !may {
		return errSchemaNotMigrated
	}
	if have.Version > 0 && have.Version < wanted.Version && p.copied != nil {
		if err := p.copied(ctx, fmt.Sprintf("schema-v%d", have.Version)); err != nil {
			return err
		}
	}
	release, err := p.engine.HoldSchema(ctx)
	if err != nil {
		return err
	}
	defer release()
	if have, err = p.from(ctx); err != nil { // another may have done it meanwhile
		return err
	}
	renames := p.own.renames(have.Version)
	if p.joined {
		_, err = p.engine.ChangeHeldSchema(ctx, p.own.target(p.rows), func(ctx context.Context) error { return p.put(ctx, renames) }, renames...)
		return err
	}
	return p.apart(ctx, have, renames)
}

// apart carries the step out where rows and schema are not one transaction. A release that is
// too old is kept out before the schema may have changed. The version is put last: who goes on
// where a server has ended must know from where it went.
func (p step) apart(ctx context.Context, have migrations.State, renames []relations.Rename) error {
	fence := func(ctx context.Context, oldest int) error {
		if have.Version == 0 || have.Version >= p.own.state().Version {
			return nil
		}
		return p.rows.write(ctx, func(ctx context.Context, tx *records.Tx) error { return tx.AdmitSchema(ctx, have.Version, oldest) })
	}
	_, err := p.engine.ChangeHeldSchema(ctx, p.own.target(p.rows), func(ctx context.Context) error {
		return fence(ctx, max(have.Oldest, p.own.state().Oldest))
	}, renames...)
	if err != nil {
		return errors.Join(err, fence(context.WithoutCancel(ctx), have.Oldest))
	}
	return p.put(ctx, renames)
}

// note keeps the version of a schema that was live before versions were kept.
func (p step) note(ctx context.Context, have migrations.State) error {
	kept, err := p.rows.state(ctx)
	if err != nil || kept.Version > 0 || have.Version == 0 {
		return err
	}
	return p.put(ctx, nil)
}

// put says that the release's version is live, unless a later one is, and has the records name
// roles by their new relations.
func (p step) put(ctx context.Context, renames []relations.Rename) error {
	return p.rows.write(ctx, func(ctx context.Context, tx *records.Tx) error {
		have, err := tx.SchemaState(ctx)
		s := p.own.state()
		if err != nil || have.Version >= s.Version {
			return err
		}
		for _, r := range renames {
			if r.Definition != "party" {
				continue
			}
			if err := tx.RenameRole(ctx, r.Old, r.New); err != nil {
				return err
			}
		}
		return tx.PutSchemaVersion(ctx, s.Version, s.Oldest)
	})
}

// stepFile is the step of a store in a file.
func (s *Server) stepFile() step {
	return step{engine: s.engine, own: thisSchema(), rows: rowsOf(s.records), joined: true,
		copied: func(ctx context.Context, version string) error {
			_, err := s.store.KeepCopy(ctx, version)
			return err
		}}
}

// schemaOnPostgres brings the schema in a Postgres database to this release, or fails when
// that has to be done and may not be.
func (s *Server) schemaOnPostgres(ctx context.Context) (err error) {
	db, err := postgres.Open(s.cfg.Datastore, postgres.Options{Conns: 2})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := postgres.Migrated(ctx, db); err != nil {
		return err
	}
	return s.stepOn(ctx, step{engine: s.engine, own: thisSchema(), rows: rowsOn(db)})
}

// stepOn carries out a step on Postgres. Relations are renamed while no server writes, when
// what servers that ended have left is finished: it names them as they were.
func (s *Server) stepOn(ctx context.Context, p step) (err error) {
	have, err := p.from(ctx)
	if err != nil {
		return err
	}
	if !s.cfg.Migrate || len(p.own.renames(have.Version)) == 0 || have.Version == 0 {
		return p.run(ctx, s.cfg.Migrate)
	}
	quiet, err := outbox.Open(ctx, outbox.Config{URI: s.cfg.Datastore, Graph: s.engine, Logger: s.cfg.Logger, Atomic: engine.Atomic})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, quiet.Close()) }()
	return quiet.Alone(ctx, func(ctx context.Context) error { return p.run(ctx, true) })
}
