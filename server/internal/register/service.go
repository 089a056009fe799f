package register

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/registry"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Relations is the graph that tuples are written to.
type Relations interface {
	Write(ctx context.Context, updates []relation.Update) (relation.Revision, error)
	Head(ctx context.Context) (relation.Revision, error)
}

// Directory is told of parties when they are written.
type Directory interface {
	Apply(puts []party.Party, removes []party.ID)
}

// Estates knows who has which role in whose estate. Leaving returns what changes there when
// parties go, each of them into the party that it becomes, if it becomes one.
type Estates interface {
	Leaving(ctx context.Context, gone map[party.Party]party.Party) ([]relation.Update, error)
}

// Config is what a Service works with. All but Registry, Estates and Now are required.
type Config struct {
	Records   *records.Store
	Relations Relations
	Directory Directory
	Catalogue *roles.Catalogue
	// Registry takes entries of imports that are no parties, assignments or delegations, and
	// is asked before a party goes. Nil refuses such entries.
	Registry *registry.Service
	Estates  Estates // is asked before parties go
	Logger   *slog.Logger
	Now      func() time.Time // nil for the clock
	// Joined says that what is written to Relations with the context of a transaction of
	// Records is part of that transaction.
	Joined bool
}

// Service writes the register. It is safe for concurrent use.
type Service struct {
	records   *records.Store
	relations Relations
	directory Directory
	catalogue *roles.Catalogue
	registry  *registry.Service
	estates   Estates
	logger    *slog.Logger
	now       func() time.Time
	joined    bool
	turn      chan struct{} // holds a token while nobody writes
	importing atomic.Bool
	chunk     int // how many parties a transaction of an import writes
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Records == nil || c.Relations == nil || c.Directory == nil || c.Catalogue == nil || c.Logger == nil {
		return nil, errors.New("the register needs records, relations, a directory, a catalogue and a logger")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Service{
		records: c.Records, relations: c.Relations, directory: c.Directory, catalogue: c.Catalogue, registry: c.Registry, estates: c.Estates, logger: c.Logger, now: c.Now, joined: c.Joined,
		turn: make(chan struct{}, 1), chunk: mostParties,
	}
	s.turn <- struct{}{}
	return s, nil
}

// take waits for the turn to write, which give gives back. Channel, not mutex: a caller
// whose time is up stops waiting.
func (s *Service) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return waited(err)
	}
	select {
	case <-s.turn:
		return nil
	case <-ctx.Done():
		return waited(ctx.Err())
	}
}

func (s *Service) give() { s.turn <- struct{}{} }

// waited is the fault of a caller who gave up before his write had begun.
func waited(err error) error {
	kind := fault.Deadline
	if errors.Is(err, context.Canceled) {
		kind = fault.Canceled
	}
	return fault.New(kind, fault.ReasonUnavailable, "the call ended before its turn to write; nothing was written").Because(err)
}
