package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Config is what an Engine is made of. The zero Config is an engine that forgets all.
type Config struct {
	// Logger takes SpiceDB's log lines that belong to a call or to start and stop. Lines
	// that SpiceDB writes to its process-wide logger arrive only after RouteLogs.
	Logger *slog.Logger
	// Registry takes the metrics of this engine. Metrics that SpiceDB keeps for the whole
	// process stay in Prometheus' default registry.
	Registry *prometheus.Registry
	// Datastore holds relationships and schema. It stays open when the engine closes. Nil
	// is SpiceDB's memory engine, which keeps nothing and is slow beyond some 10,000 tuples.
	Datastore datastore.Datastore
}

// Engine is a running SpiceDB. Its methods may be called by many goroutines.
type Engine struct {
	services Services
	layer    datalayer.DataLayer
	store    datastore.Datastore
	// What reads that bring no revision are answered at: the head, or what an operator allows
	// for it.
	recent      headFunc
	recentLayer datalayer.DataLayer
	owned       bool // store was opened here and is closed here
	spicedb     server.RunnableServer
	walks       *walks
	bounds      *bounds
	stamp       atomic.Pointer[stamp] // of the head that was last asked for
	log         zerolog.Logger

	schema  chan struct{} // held by whoever replaces the schema
	cancel  context.CancelFunc
	stopped chan struct{} // closed when SpiceDB has stopped
	runErr  error         // why SpiceDB stopped; read after stopped
	closing sync.Once
	closed  error
}

// New starts SpiceDB and returns when it answers. It is started here and not by Run,
// because its service objects can be captured from a running server only, and other
// services are built from them. Close it when it is no longer used, whether or not Run
// was called.
func New(c Config) (*Engine, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	e := &Engine{
		store:   c.Datastore,
		owned:   c.Datastore == nil,
		log:     bridge(c.Logger),
		schema:  make(chan struct{}, 1),
		stopped: make(chan struct{}),
	}
	var err error
	if e.walks, err = newWalks(c.Datastore, c.Registry, c.Logger); err != nil {
		return nil, err
	}
	if e.bounds, err = newBounds(e.Walk, c.Registry); err != nil {
		return nil, err
	}
	if err := e.boot(c.Registry); err != nil {
		return nil, err
	}
	return e, nil
}

// Run returns nil when ctx is done, or the reason when SpiceDB stops by itself. It does
// not close the engine: what still runs may still ask.
func (e *Engine) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-e.stopped:
		if e.runErr != nil {
			return fmt.Errorf("run spicedb: %w", e.runErr)
		}
		return nil
	}
}

// Close stops SpiceDB and, when New opened the datastore, closes it. Calls that are
// still running fail. Close may be called more than once.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.cancel()
		<-e.stopped
		if e.owned {
			e.closed = e.store.Close()
		}
	})
	return e.closed
}

// Ready reports whether the engine can answer: SpiceDB runs, the datastore says that it
// is ready and tells its head revision.
func (e *Engine) Ready(ctx context.Context) error {
	if err := e.running(); err != nil {
		return err
	}
	state, err := e.store.ReadyState(ctx)
	if err != nil {
		return faultOf(err)
	}
	if !state.IsReady {
		return unavailable().Because(fmt.Errorf("datastore is not ready: %s", state.Message))
	}
	_, err = e.Head(ctx)
	return err
}

// Dial returns a new connection to SpiceDB's own in-memory listener. It passes none of
// Behalf's interceptors: it is what a test compares them with. The caller closes it.
func (e *Engine) Dial(opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := e.spicedb.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("dial the embedded spicedb: %w", err)
	}
	return conn, nil
}

// running fails once SpiceDB has stopped, so that a late call gets a fault and not what
// a closed datastore happens to say.
func (e *Engine) running() error {
	select {
	case <-e.stopped:
		return unavailable().Because(fmt.Errorf("spicedb has stopped"))
	default:
		return nil
	}
}

func unavailable() *fault.Error {
	return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the relation engine cannot answer now")
}
