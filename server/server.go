package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/certificate"
	"github.com/behalf-authz/behalf/server/internal/enforce"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/register"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
	storerpc "github.com/behalf-authz/behalf/server/internal/rpc/store"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// Server is a Behalf server. Make one with New, start it with Run, end it with Close.
type Server struct {
	cfg             Config
	registry        *prometheus.Registry
	store           *store.Store   // nil on Postgres
	shared          *sharedStore   // nil in a file
	records         *records.Store // in either
	engine          *engine.Engine
	graph           register.Relations // the engine, for who writes it together with records
	copier          storerpc.Copier
	gatewayIdentity gatewayIdentity
	directory       *party.Directory
	audit           *audit.Log
	routes          *enforce.Routes
	certificate     *certificate.Source // nil in plaintext
	loginOffered    bool                // whether a provider of the issuers file logs people in
	writtenTo       register.Directory  // who is told what this server has written

	chain        *interceptor.Chain
	grpc         *grpc.Server
	health       *health.Server
	inproc       *channel
	http         *http.Server
	grpcListener net.Listener
	httpListener net.Listener

	serving atomic.Bool   // between the start of Run and a stop
	started chan struct{} // closed when Run serves
}

// New opens the data directory and the store, brings the relations schema up to date,
// builds all services and binds both ports. It answers nothing until Run. The error joins
// every fault of the configuration.
func New(ctx context.Context, cfg Config) (_ *Server, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg.withDefaults(), registry: prometheus.NewRegistry(), started: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.warnCompat(ctx)
	s.gatewayIdentity = newGatewayIdentity()
	credentials, err := s.build(ctx, s.cfg.GRPCAddr)
	if err != nil {
		return nil, err
	}
	if err := s.buildGateway(credentials); err != nil {
		return nil, err
	}
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// build opens the data directory and builds all services. address is where this process
// will be reached, empty when nowhere.
func (s *Server) build(ctx context.Context, address string) (*openedCredentials, error) {
	if err := os.MkdirAll(s.cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if err := s.openStore(ctx, address); err != nil {
		return nil, err
	}
	if err := s.openAudit(ctx); err != nil {
		return nil, err
	}
	credentials, err := s.openCredentials(ctx)
	if err != nil {
		return nil, err
	}
	return credentials, s.buildServices(credentials)
}

// openStore opens records and relations, and fills what is kept in memory of them. address
// is told to whoever finds them in use.
func (s *Server) openStore(ctx context.Context, address string) error {
	if s.cfg.Datastore != DatastoreSQLite {
		return s.openPostgres(ctx)
	}
	return s.openFile(ctx, address)
}

// openFile opens the store in the data directory.
func (s *Server) openFile(ctx context.Context, address string) (err error) {
	s.directory = party.NewDirectory()
	s.writtenTo = s.directory
	s.store, err = store.Open(ctx, store.Config{
		Path:       filepath.Join(s.cfg.DataDir, databaseName),
		History:    s.cfg.History,
		Address:    address,
		Logger:     s.cfg.Logger,
		Registerer: s.registry,
		Progress:   s.cfg.Loading,
		Also: func(ctx context.Context, from *store.Store) error {
			return s.directory.Load(ctx, records.In(database{from}).Parties)
		},
	})
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	if err := s.startEngine(s.store); err != nil {
		return err
	}
	s.records = records.In(database{s.store})
	if err := s.stepFile().run(ctx, true); err != nil {
		return fmt.Errorf("bring the relations schema to this release: %w", err)
	}
	s.graph, s.copier = s.engine, s.store
	return nil
}

// startEngine starts SpiceDB on a datastore.
func (s *Server) startEngine(on datastore.Datastore) (err error) {
	s.engine, err = engine.New(engine.Config{Logger: s.cfg.Logger, Registry: s.registry, Datastore: on})
	if err != nil {
		return fmt.Errorf("start the relation engine: %w", err)
	}
	return nil
}

// GRPCAddr returns the address of the gRPC port.
func (s *Server) GRPCAddr() string { return s.grpcListener.Addr().String() }

// HTTPAddr returns the address of the HTTP port.
func (s *Server) HTTPAddr() string { return s.httpListener.Addr().String() }

// Conn returns a connection to the server's services within the process. Calls pass the
// same interceptors as those from outside.
func (s *Server) Conn() grpc.ClientConnInterface { return s.inproc }

// Ready waits until the server can answer, and returns why it cannot when ctx ends first.
func (s *Server) Ready(ctx context.Context) error {
	select {
	case <-s.started:
		return s.engine.Ready(ctx)
	case <-ctx.Done():
		return fmt.Errorf("the server does not serve yet: %w", ctx.Err())
	}
}

// answering returns nil while the server can answer, for probes: it does not wait.
func (s *Server) answering(ctx context.Context) error {
	if !s.serving.Load() {
		return errors.New("the server is starting or stopping")
	}
	return s.engine.Ready(ctx)
}

// Close releases what New took. Call it once, after Run has returned, or instead of Run.
func (s *Server) Close() error {
	var faults []error
	for _, l := range []net.Listener{s.grpcListener, s.httpListener} {
		if l == nil {
			continue
		}
		// After Run, the servers have closed their listeners already.
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			faults = append(faults, err)
		}
	}
	if s.grpc != nil {
		s.grpc.Stop() // New began its workers
	}
	if s.engine != nil {
		faults = append(faults, s.engine.Close())
	}
	faults = append(faults, s.audit.Close())
	if s.store != nil {
		faults = append(faults, s.store.Close())
	}
	if s.shared != nil {
		faults = append(faults, s.shared.close())
	}
	return errors.Join(faults...)
}
