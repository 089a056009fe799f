package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/rounds"
)

// Config is what a Replica is made of.
type Config struct {
	// URI is the name of the database.
	URI string
	// Datastore is SpiceDB's engine over it. It makes the revisions and reads the schemas.
	Datastore datastore.Datastore
	// Staleness is how old an answer may be. The zero value asks the database each time.
	Staleness time.Duration
	// Patience is how long a reader waits for a proof. Default 150 ms.
	Patience time.Duration
	// Poll is how often the database is asked while nobody reads. Default 100 ms.
	Poll time.Duration
	// Loading is told how many relationships of about how many were loaded. May be nil.
	Loading func(loaded, total int)
	// Graph bounds what is remembered of older states.
	Graph graph.Config
	// Logger takes what operators should know. Default: discard.
	Logger *slog.Logger
	// Registerer takes the metrics. Default: none.
	Registerer prometheus.Registerer
}

// State is what the relations are at a revision.
type State struct {
	Head     datastore.RevisionWithSchemaHash
	Snapshot *graph.Snapshot
	Schema   *datastore.ReadOnlyStoredSchema // nil while there is none

	horizon horizon
}

// The reasons why a replica does not answer. SpiceDB does then.
var (
	// ErrLoading is returned while the graph is loaded.
	ErrLoading = errors.New("the replica of the relations is being loaded")
	// ErrSlow is returned when the proof takes longer than a reader waits.
	ErrSlow = errors.New("the replica of the relations was not proved fresh in time")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the replica of the relations is closed")
)

// Replica is a graph that follows the relations in a Postgres database. It is safe for
// concurrent use.
type Replica struct {
	cfg     Config
	metrics *metrics

	rounds *rounds.Rounds[*State] // of questions to the database

	// What follows belongs to who has the turn.
	source source
	graph  *graph.Graph
	server string    // the run of the database's server that the graph was loaded from
	asked  time.Time // by the database's clock

	latest  atomic.Pointer[State] // nil while the graph is loaded
	proved  atomic.Int64          // when the last proof began, in nanoseconds since start
	written atomic.Int64          // when this server last wrote, likewise
	asking  atomic.Int64          // when the question began that is under way, likewise; 0 when none is
	start   time.Time
	memory  memory
	lost    chan struct{} // holds a token when the graph was given up
	ended   atomic.Bool
}

// New returns a replica that knows nothing yet.
func New(c Config) (*Replica, error) {
	if c.URI == "" || c.Datastore == nil {
		return nil, errors.New("a replica needs the name of a database and SpiceDB's engine over it")
	}
	if c.Staleness < 0 || c.Patience < 0 || c.Poll < 0 {
		return nil, errors.New("replica: a time is negative")
	}
	if c.Patience == 0 {
		c.Patience = 150 * time.Millisecond
	}
	if c.Poll == 0 {
		c.Poll = 100 * time.Millisecond
	}
	if c.Loading == nil {
		c.Loading = func(int, int) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Replica{cfg: c, source: source{uri: c.URI}, start: time.Now(), lost: make(chan struct{}, 1)}
	r.rounds = rounds.New(r.question)
	var err error
	r.metrics, err = newMetrics(r, c.Registerer)
	return r, err
}

// The pauses between attempts to load the graph.
const (
	minPause = 100 * time.Millisecond
	maxPause = 10 * time.Second
)

// sweepEvery is how often expired tuples are looked for.
const sweepEvery = time.Hour

// Run keeps the graph close to the database until ctx is done.
func (r *Replica) Run(ctx context.Context) error {
	poll, sweep := time.NewTicker(r.cfg.Poll), time.NewTicker(sweepEvery)
	defer poll.Stop()
	defer sweep.Stop()
	reachable := true
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-r.lost:
			r.keepLoaded(ctx)
		case <-poll.C:
			reachable = r.look(ctx, reachable)
		case <-sweep.C:
			r.sweep(ctx, time.Now())
		}
	}
	return nil
}

// keepLoaded loads the graph, again and again until it is.
func (r *Replica) keepLoaded(ctx context.Context) {
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		err := r.Load(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		r.cfg.Logger.WarnContext(ctx, "relations not loaded into memory, SpiceDB answers", "error", err, "again_in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// look asks the database, so that the first reader finds little left to learn. It logs when
// the database is lost and when it is found again.
func (r *Replica) look(ctx context.Context, reachable bool) bool {
	_, err := r.ask(ctx, r.rounds.Join(ctx))
	if errors.Is(err, ErrLoading) || errors.Is(err, ErrSlow) || ctx.Err() != nil {
		return reachable
	}
	switch {
	case err != nil && reachable:
		r.cfg.Logger.WarnContext(ctx, "the replica of the relations cannot ask the database", "error", err)
	case err == nil && !reachable:
		r.cfg.Logger.InfoContext(ctx, "the replica of the relations follows the database again")
	}
	return err == nil
}

// Close ends the connection. Run must have returned.
func (r *Replica) Close() error {
	if !r.ended.Swap(true) {
		_ = r.rounds.Take(context.Background()) // it comes
		defer r.rounds.Return()
		r.source.close()
		r.latest.Store(nil)
	}
	return nil
}

// At returns the state of a revision, if it is one that the replica was, or one of the same
// relations and schema.
func (r *Replica) At(revision datastore.Revision) (*State, bool) {
	latest := r.latest.Load()
	if latest == nil {
		return nil, false
	}
	if latest.Head.Revision.Equal(revision) {
		return latest, true
	}
	h, ok := horizonOf(revision)
	if !ok {
		return nil, false
	}
	return r.memory.find(h)
}

// Load loads the graph. It comes before Run, which loads it again when it must.
func (r *Replica) Load(ctx context.Context) (err error) {
	if err := r.rounds.Take(ctx); err != nil {
		return err
	}
	defer r.rounds.Return()
	if r.ended.Load() {
		return ErrClosed
	}
	began := time.Now()
	g, err := graph.New(r.cfg.Graph)
	if err != nil {
		return err
	}
	loader, err := g.NewLoader()
	if err != nil {
		return err
	}
	defer loader.Drop()
	total := 0
	saw, err := r.source.load(ctx,
		func(about string) { _, _ = fmt.Sscan(about, &total) }, // 0 when it says nothing
		func(t *graph.Tuple) error {
			if n := loader.Len() + 1; n%loadingSteps == 0 {
				r.cfg.Loading(n, max(n, total))
			}
			return loader.Add(t)
		})
	if err != nil {
		return err
	}
	snapshot, err := loader.Finish(1, began)
	if err != nil {
		return fmt.Errorf("load the graph: %w", err)
	}
	r.cfg.Loading(snapshot.Tuples(), snapshot.Tuples())
	state, err := r.state(ctx, saw, nil)
	if err != nil {
		return err
	}
	state.Snapshot = snapshot
	r.graph, r.server, r.asked = g, saw.server, saw.at
	r.memory.reset(g)
	r.memory.add(state, true)
	r.latest.Store(state)
	r.proved.Store(int64(began.Sub(r.start)))
	r.metrics.loads.Inc()
	r.cfg.Logger.InfoContext(ctx, "relations loaded into memory", "relationships", snapshot.Tuples(), "took", time.Since(began))
	return nil
}

// loadingSteps is how many relationships are loaded between two reports.
const loadingSteps = 100_000

// state returns the state that a statement saw, without its snapshot of the graph. The
// schema is that of the state before, while it is the same: one value for each.
func (r *Replica) state(ctx context.Context, saw sight, before *State) (*State, error) {
	text, err := saw.horizon.revision()
	if err != nil {
		return nil, err
	}
	revision, err := r.cfg.Datastore.RevisionFromString(text)
	if err != nil {
		return nil, fmt.Errorf("make a revision of what Postgres saw: %w", err)
	}
	s := &State{Head: datastore.RevisionWithSchemaHash{Revision: revision, SchemaHash: saw.schema}, horizon: saw.horizon}
	switch {
	case saw.schema == "":
	case before != nil && before.Head.SchemaHash == saw.schema:
		s.Schema = before.Schema
	default:
		ctx, cancel := context.WithTimeout(ctx, silence)
		defer cancel()
		if s.Schema, err = r.cfg.Datastore.SnapshotReader(revision).ReadStoredSchema(ctx); err != nil {
			return nil, fmt.Errorf("read the relations schema: %w", err)
		}
	}
	return s, nil
}

// giveUp forgets the graph, and has it loaded again. The caller has the turn.
func (r *Replica) giveUp(ctx context.Context, why error) {
	r.cfg.Logger.WarnContext(ctx, "relations in memory given up, they are loaded again", "error", why)
	r.latest.Store(nil)
	r.memory.reset(nil)
	r.graph = nil
	r.source.close()
	select {
	case r.lost <- struct{}{}:
	default:
	}
}
