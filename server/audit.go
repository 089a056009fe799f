package server

import (
	"context"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/audit"
	auditrpc "github.com/behalf-authz/behalf/server/internal/rpc/audit"
)

// auditName is the name of the file of audit records in the data directory. It is a file of
// its own, so that a decision never waits for a write of relations.
const auditName = "audit.db"

// AuditConfig says what is recorded of decisions. A decision does not leave unless every
// sink has taken its record. The zero value keeps records that can be searched, for ever.
type AuditConfig struct {
	// Sinks are some of records, file and stdout, or none alone. Default records.
	Sinks []string
	// File is the path of the sink file.
	File string
	// Format is that of file and stdout: native, or altinn for Altinn's events. Default native.
	Format string
	// Sync has a decision wait until its record is on the disk. Without it a record survives
	// the process at once, and the machine within a tenth of a second.
	Sync bool
	// Checks records checks, lists of parties and validations too.
	Checks bool
	// Retention is how long the sink records keeps a record. 0 is for ever.
	Retention time.Duration
}

// Validate returns every fault of c joined.
func (c AuditConfig) Validate() error { return c.log().Validate() }

func (c AuditConfig) log() audit.Config {
	return audit.Config{Sinks: c.Sinks, File: c.File, Format: c.Format, Sync: c.Sync, Retention: c.Retention}
}

// openAudit opens the sinks. One that does not open keeps the server from starting.
func (s *Server) openAudit(ctx context.Context) (err error) {
	c := s.cfg.Audit.log()
	c.Table = filepath.Join(s.cfg.DataDir, auditName)
	c.Logger, c.Registerer = s.cfg.Logger, s.registry
	if s.cfg.Datastore != DatastoreSQLite {
		c.Postgres = s.cfg.Datastore
	}
	s.audit, err = audit.Open(ctx, c)
	return howToMigrate(err)
}

// auditing syncs records until the function that it returns is called: longer than ctx, as
// running calls still end, and are recorded, after a stop.
func (s *Server) auditing(ctx context.Context) (end func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.audit.Run(ctx) // it says what fails in the log, and closes the door
	}()
	return func() {
		stop()
		<-ended
	}
}

// recordChecks returns interceptors that record checks, lists and validations, if that is
// asked for, before those given.
func (s *Server) recordChecks(unary grpc.UnaryServerInterceptor, stream grpc.StreamServerInterceptor) (
	grpc.UnaryServerInterceptor, grpc.StreamServerInterceptor, error,
) {
	if !s.cfg.Audit.Checks {
		return unary, stream, nil
	}
	checks, err := auditrpc.NewChecks(s.audit, origin)
	if err != nil {
		return nil, nil, err
	}
	return checks.Unary(unary), checks.Stream(stream), nil
}
