package policy

import (
	"context"
	"errors"
	"time"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Reader reads the relationships that any of the filters selects, all at one revision.
type Reader interface {
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
}

// Writer writes relationships. What is written with the context of a transaction of the
// records is part of that transaction.
type Writer interface {
	Write(ctx context.Context, updates []relation.Update) (relation.Revision, error)
	Head(ctx context.Context) (relation.Revision, error)
}

// Config is what a Service works with. All but the last three are required.
type Config struct {
	Records   *records.Store
	Relations Reader
	Graph     Writer
	Catalogue *roles.Catalogue
	// AnyOfPerCategory reads every policy as Altinn's engine does.
	AnyOfPerCategory bool
	// AcceptAnything takes texts that are no policy, as Altinn does. They decide nothing.
	AcceptAnything bool
	Now            func() time.Time // nil for the clock
}

// Service keeps policies. It is safe for concurrent use.
type Service struct {
	records   *records.Store
	relations Reader
	graph     Writer
	catalogue *roles.Catalogue
	anyOf     bool
	lenient   bool
	now       func() time.Time
	texts     *cache
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Records == nil || c.Relations == nil || c.Graph == nil || c.Catalogue == nil {
		return nil, errors.New("policies need records, relations, a graph and a catalogue")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{
		records: c.Records, relations: c.Relations, graph: c.Graph, catalogue: c.Catalogue,
		anyOf: c.AnyOfPerCategory, lenient: c.AcceptAnything, now: c.Now, texts: newCache(),
	}, nil
}
