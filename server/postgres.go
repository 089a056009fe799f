package server

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/authzed/spicedb/pkg/datastore"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/authn/certificate"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/engine/migration"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/follow"
	"github.com/behalf-authz/behalf/server/internal/outbox"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/postgres"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
	sessionrpc "github.com/behalf-authz/behalf/server/internal/rpc/session"
)

// sharedStore is what a server has open of a Postgres database.
type sharedStore struct {
	relations datastore.Datastore
	outbox    *outbox.Outbox
	follower  *follow.Follower

	forgetKeys func() error // ends what other servers are told of this one's keys; nil when they are told nothing
}

func (s *sharedStore) close() error {
	var faults []error
	if s.forgetKeys != nil {
		faults = append(faults, s.forgetKeys())
	}
	if s.outbox != nil {
		faults = append(faults, s.outbox.Close())
	}
	if s.relations != nil {
		faults = append(faults, s.relations.Close())
	}
	return errors.Join(faults...)
}

// openPostgres opens relations and records in a Postgres database, which other servers may
// have open. What servers that ended have left is finished before this one reads anything.
func (s *Server) openPostgres(ctx context.Context) (err error) {
	if s.cfg.Migrate {
		if err := migratePostgres(ctx, s.cfg.Datastore); err != nil {
			return err
		}
	}
	s.shared = &sharedStore{}
	s.shared.relations, err = engine.OpenReplicated(ctx, s.cfg.Datastore, engine.ReplicaConfig{
		MaxStaleness: s.cfg.MaxStaleness, Loading: s.cfg.Loading, Logger: s.cfg.Logger, Registry: s.registry,
	})
	if err != nil {
		return howToMigrate(fmt.Errorf("open the relations: %w", err))
	}
	if err := s.startEngine(s.shared.relations); err != nil {
		return err
	}
	if err := s.schemaOnPostgres(ctx); err != nil {
		return howToMigrate(fmt.Errorf("bring the relations schema to this release: %w", err))
	}
	s.shared.outbox, err = outbox.Open(ctx, outbox.Config{
		URI: s.cfg.Datastore, Graph: s.engine, Logger: s.cfg.Logger, Registry: s.registry, Atomic: engine.Atomic,
	})
	if err != nil {
		return howToMigrate(fmt.Errorf("open the records: %w", err))
	}
	if err := s.shared.outbox.Finish(ctx); err != nil {
		return fmt.Errorf("finish what other servers have left: %w", err)
	}
	s.records, s.graph, s.copier = records.In(s.shared.outbox), s.shared.outbox.Joined(), noCopies{}
	s.directory = party.NewDirectory()
	s.writtenTo = ownFollowed{}
	s.shared.follower, err = follow.New(follow.Config{DB: s.shared.outbox.Read(), Records: s.records, Directory: s.directory})
	return err
}

func migratePostgres(ctx context.Context, uri string) error {
	if err := migration.Postgres(ctx, uri); err != nil {
		return err
	}
	db, err := postgres.Open(uri, postgres.Options{Conns: 2})
	if err != nil {
		return err
	}
	return errors.Join(postgres.Migrate(ctx, db), db.Close())
}

// howToMigrate says what to do about a database that is not migrated.
func howToMigrate(err error) error {
	if errors.Is(err, engine.ErrNotMigrated) || errors.Is(err, postgres.ErrNotMigrated) || errors.Is(err, errSchemaNotMigrated) {
		return fmt.Errorf("%w: run `behalf migrate up`, or start with `behalf serve --migrate`; `behalf migrate plan` shows what would be done", err)
	}
	return err
}

// loadKeys loads the API keys and, on Postgres, has them follow the database from then on.
func (s *Server) loadKeys(ctx context.Context, keys *authn.Keys) error {
	if s.shared == nil {
		return keys.Load(ctx)
	}
	if err := s.shared.follower.Start(ctx, keys.Load); err != nil {
		return err
	}
	return keys.Load(ctx)
}

// upToDate returns the authenticator that brings this server up to what others have written
// before it establishes a caller, so that neither a key nor a party is older than the call.
func (s *Server) upToDate(a *authn.Authenticator) interceptor.Authenticator {
	if s.shared == nil {
		return a
	}
	return following{a, s.shared.follower}
}

type following struct {
	authenticator *authn.Authenticator
	follower      *follow.Follower
}

// catchUp brings this server up to what others have written, before it says who somebody is
// whom no authenticator is asked about.
func (s *Server) catchUp(ctx context.Context) error {
	if s.shared == nil {
		return nil
	}
	return s.shared.follower.CatchUp(ctx)
}

// followingSessions know whose a session is by what others have written too.
type followingSessions struct {
	sessionrpc.Sessions

	catchUp func(context.Context) error
}

// Caller returns whose session it is.
func (f followingSessions) Caller(ctx context.Context, secret authn.Secret) (caller.Caller, error) {
	if err := f.catchUp(ctx); err != nil {
		return caller.Caller{}, err
	}
	return f.Sessions.Caller(ctx, secret)
}

// followingCertificates know services, to which this server answers no less up to date than
// to those with keys.
type followingCertificates struct {
	callers certificate.Callers
	catchUp func(context.Context) error
}

// Caller implements interceptor.Certificates.
func (f followingCertificates) Caller(ctx context.Context, names []string) (caller.Caller, error) {
	who, err := f.callers.Caller(names)
	if err != nil || who.Kind == caller.Nobody {
		return who, err
	}
	if err := f.catchUp(ctx); err != nil {
		return caller.Caller{}, err
	}
	return who, nil
}

// Authenticate establishes who calls.
func (f following) Authenticate(ctx context.Context, secret authn.Secret) (caller.Caller, error) {
	if secret != "" { // which is refused whatever others have written
		if err := f.follower.CatchUp(ctx); err != nil {
			return caller.Caller{}, err
		}
	}
	return f.authenticator.Authenticate(ctx, secret)
}

// ownFollowed is told of what this server has written and does nothing: the log of changes
// says it.
type ownFollowed struct{}

// Apply does nothing.
func (ownFollowed) Apply([]party.Party, []party.ID) {}

// reasonPostgresTools is given for what a Postgres database has tools of its own for.
const reasonPostgresTools fault.Reason = "POSTGRES_TOOLS"

// noCopies refuses copies: a Postgres database has tools of its own.
type noCopies struct{}

// Backup refuses.
func (noCopies) Backup(context.Context, func(done, total int64)) (*os.File, error) {
	return nil, fault.New(fault.Unimplemented, reasonPostgresTools,
		"records and relations are in Postgres: take a copy with its own tools. One of all files, by pg_basebackup with its log or "+
			"a snapshot of the disk, is whole as it is. One by pg_dump keeps the numbers of transactions that SpiceDB's rows are "+
			"seen by, but not the counter that gives them: after pg_restore into a new cluster, of Postgres 15 or newer, and before any server starts, run "+
			"`spicedb datastore repair transaction-ids --datastore-engine postgres --datastore-conn-uri URI`, or what is written "+
			"next stays unseen; and give the copy a name of its own by `UPDATE metadata SET unique_id = gen_random_uuid()`, or it "+
			"takes revisions of what is lost for its own")
}
