package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/migrations"
	"github.com/behalf-authz/behalf/server/internal/graph"
)

// Config says where a store is and how much of the past it keeps.
type Config struct {
	// Path is the database's file. Its directory is the data directory, which one process
	// may have open.
	Path string
	// History is how long ended relationships and old revisions stay in the file; 0 keeps
	// them all.
	History time.Duration
	// Memory is how long a revision can be read after it was superseded. Default ten minutes.
	Memory time.Duration
	// Sweep is how often what is too old is removed. Default one minute.
	Sweep time.Duration
	// WatchBuffer is how many events wait for a slow watcher by default. Default 1,024.
	WatchBuffer int
	// Address is where this process can be reached, for the message that another one gets
	// which wants the same directory. May be empty.
	Address string
	// Logger takes what happens in the background. Default: discard.
	Logger *slog.Logger
	// Migrations are what the file is brought to. Default: those of this release. Tests give
	// what an older or a later release has.
	Migrations []migrations.Migration
	// Rebuilt is how many states that memory no longer has are kept when they were loaded
	// from the file, and RebuiltTuples how many relationships they have together; a single
	// one may have more. Default four states with six million.
	Rebuilt, RebuiltTuples int
	// Registerer takes the store's metrics. May be nil.
	Registerer prometheus.Registerer
	// Also loads what else the caller keeps of the file in memory, while the relationships are
	// loaded. Until Open returns it may use Read and Explain of the Store. May be nil.
	Also func(context.Context, *Store) error
	// Progress is told how far loading has come, total being 0 when it is not known. May be nil.
	Progress func(loaded, total int)
}

func (c Config) withDefaults() (Config, error) {
	if c.Path == "" {
		return c, errors.New("store: no path was given")
	}
	if c.History < 0 || c.Memory < 0 || c.Sweep < 0 || c.WatchBuffer < 0 || c.Rebuilt < 0 || c.RebuiltTuples < 0 {
		return c, errors.New("store: a bound is negative")
	}
	if c.Memory == 0 {
		c.Memory = 10 * time.Minute
	}
	if c.Sweep == 0 {
		c.Sweep = time.Minute
	}
	if c.WatchBuffer == 0 {
		c.WatchBuffer = 1024
	}
	if c.Rebuilt == 0 {
		c.Rebuilt = 4
	}
	if c.RebuiltTuples == 0 {
		c.RebuiltTuples = 6_000_000
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Also == nil {
		c.Also = func(context.Context, *Store) error { return nil }
	}
	if c.Progress == nil {
		c.Progress = func(int, int) {}
	}
	return c, nil
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	cfg   Config
	id    string
	lock  *lock
	write *sql.DB // one connection, the committer's
	read  *sql.DB
	graph *graph.Graph

	jobs    chan *job
	stop    chan struct{} // closed by Close
	stopped sync.WaitGroup
	closing sync.Once
	backup  chan struct{} // has room for the one backup that may run
	closed  error
	past    *past  // states from before what memory has
	kept    string // the copy from before a migration, empty when none was made
	w       writer // the committer's, or the writer's whose turn it is

	catalogs atomic.Pointer[[]dated] // of the revisions that memory has, oldest first

	publishing sync.RWMutex // held while the head and what goes with it change
	notes      []note       // of the revisions that the graph's log has, oldest first
}

// dated is a catalog with the revision that made it.
type dated struct {
	revision uint64
	*catalog
}

// at returns the definitions of a revision.
func (s *Store) at(r uint64) *catalog {
	all := *s.catalogs.Load()
	for i := len(all) - 1; i > 0; i-- {
		if all[i].revision <= r {
			return all[i].catalog
		}
	}
	return all[0].catalog
}

// definitions returns the definitions of a revision that memory has. ok is false when it has
// been let go: what at returns may then be younger.
func (s *Store) definitions(r uint64) (c *catalog, ok bool) {
	c = s.at(r)
	return c, s.graph.Oldest() <= r // asked last: the graph forgets before the definitions go
}

// running fails once the store was closed.
func (s *Store) running() error {
	select {
	case <-s.stop:
		return ErrClosed
	default:
		return nil
	}
}

// Close waits for the writers that have begun and closes the file. Snapshots go on to
// answer; nothing else does.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.stop)
		s.stopped.Wait()
		s.closed = s.release()
	})
	return s.closed
}

// release gives back what Open took, whatever of it there is.
func (s *Store) release() error {
	faults := []error{s.w.close()}
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			faults = append(faults, db.Close())
		}
	}
	if s.lock != nil {
		faults = append(faults, s.lock.release())
	}
	return errors.Join(faults...)
}

// Graph returns the graph that the store publishes to, for compiled walks. It must only be
// read.
func (s *Store) Graph() *graph.Graph { return s.graph }

// Read returns the pool of connections that read the file. A revision's rows can be seen
// there a moment before its relationships are published.
func (s *Store) Read() *sql.DB { return s.read }

// ReadyState says that the store is ready: Open returns no other.
func (s *Store) ReadyState(context.Context) (datastore.ReadyState, error) {
	if err := s.running(); err != nil {
		return datastore.ReadyState{Message: err.Error()}, nil
	}
	return datastore.ReadyState{IsReady: true, Message: "ready"}, nil
}

// MetricsID names the kind of store.
func (s *Store) MetricsID() (string, error) { return "sqlite", nil }

// UniqueID returns the id that the file was given when it was made or restored. Revisions
// that a client holds are good for a store with this id only.
func (s *Store) UniqueID(context.Context) (string, error) { return s.id, nil }

// RevisionFromString reads the text of a revision.
func (s *Store) RevisionFromString(text string) (datastore.Revision, error) {
	r, err := parseRevision(text)
	if err != nil {
		return datastore.NoRevision, err
	}
	return r, nil
}

// HeadRevision returns the newest revision, which sees every write that was answered.
func (s *Store) HeadRevision(context.Context) (datastore.RevisionWithSchemaHash, error) {
	if err := s.running(); err != nil {
		return datastore.RevisionWithSchemaHash{}, err
	}
	head := s.graph.Head().Revision()
	return datastore.RevisionWithSchemaHash{Revision: revision(head), SchemaHash: s.at(head).hash()}, nil
}

// OptimizedRevision returns the head: no other revision is cheaper to read.
func (s *Store) OptimizedRevision(ctx context.Context) (datastore.RevisionWithSchemaHash, error) {
	return s.HeadRevision(ctx)
}

// CheckRevision reports whether a revision can be read: it was given out, and it is not
// older than what is kept.
func (s *Store) CheckRevision(_ context.Context, r datastore.Revision) error {
	if err := s.running(); err != nil {
		return err
	}
	if m, ok := r.(moment); ok {
		return s.reader(m).err
	}
	snapshot, err := s.snapshot(r)
	if err != nil {
		return err
	}
	head := s.graph.Head()
	if s.cfg.History > 0 && snapshot.Revision() != head.Revision() && time.Since(snapshot.At()) > s.cfg.History {
		return datastore.NewInvalidRevisionErr(r, datastore.RevisionStale)
	}
	return nil
}

// snapshot returns the state of a revision that memory still has. States from before that
// are asked for by Past, never by the way.
func (s *Store) snapshot(r datastore.Revision) (*graph.Snapshot, error) {
	n, ok := r.(revision)
	if !ok || n == 0 {
		return nil, datastore.NewInvalidRevisionErr(r, datastore.CouldNotDetermineRevision)
	}
	snapshot, err := s.graph.At(uint64(n))
	switch {
	case errors.Is(err, graph.ErrTooOld):
		return nil, datastore.NewInvalidRevisionErr(r, datastore.RevisionStale)
	case errors.Is(err, graph.ErrNotYet):
		return nil, datastore.NewInvalidRevisionErr(r, datastore.CouldNotDetermineRevision)
	case err != nil:
		return nil, fmt.Errorf("read revision %s: %w", n, err)
	}
	return snapshot, nil
}

// OfflineFeatures says what the store can do.
func (s *Store) OfflineFeatures() (*datastore.Features, error) {
	return &datastore.Features{
		Watch:                   datastore.Feature{Status: datastore.FeatureSupported},
		IntegrityData:           datastore.Feature{Status: datastore.FeatureSupported},
		ContinuousCheckpointing: datastore.Feature{Status: datastore.FeatureUnsupported},
		WatchEmitsImmediately:   datastore.Feature{Status: datastore.FeatureUnsupported},
	}, nil
}

// Features says what the store can do.
func (s *Store) Features(context.Context) (*datastore.Features, error) { return s.OfflineFeatures() }

// Statistics counts what the head has.
func (s *Store) Statistics(ctx context.Context) (datastore.Stats, error) {
	if err := s.running(); err != nil {
		return datastore.Stats{}, err
	}
	head := s.graph.Head()
	c := s.at(head.Revision())
	objects, err := (&reader{catalog: c}).LegacyListAllNamespaces(ctx)
	if err != nil {
		return datastore.Stats{}, err
	}
	if e, ok := c.find(kindSchema, ""); ok && len(objects) == 0 {
		for _, object := range e.schema.Get().GetV1().GetNamespaceDefinitions() {
			objects = append(objects, datastore.RevisionedNamespace{Definition: object, LastWrittenRevision: revision(e.written)})
		}
	}
	return datastore.Stats{
		UniqueID:                   s.id,
		EstimatedRelationshipCount: uint64(head.Tuples()),
		ObjectTypeStatistics:       datastore.ComputeObjectTypeStats(objects),
	}, nil
}
