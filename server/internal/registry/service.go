package registry

import (
	"context"
	"errors"
	"time"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// writeTime bounds one transaction once it can no longer be called off.
const writeTime = time.Minute

// SourceAPI is who writes when a call names nobody.
const SourceAPI = "api"

// Reader reads the graph.
type Reader interface {
	Read(ctx context.Context, at relation.At, filters ...relation.Filter) ([]relation.Relationship, relation.Revision, error)
}

// Relations is the graph that relationships are written to.
type Relations interface {
	Write(ctx context.Context, updates []relation.Update) (relation.Revision, error)
	Head(ctx context.Context) (relation.Revision, error)
}

// Config is what a Service works with. All but Now are required. What is written to
// Relations with the context of a transaction of Records must be part of it.
type Config struct {
	Records   *records.Store
	Relations Relations
	Reader    Reader
	Now       func() time.Time // nil for the clock
}

// Service keeps system users, access lists and resources. It is safe for concurrent use.
type Service struct {
	records   *records.Store
	relations Relations
	reader    Reader
	now       func() time.Time
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Records == nil || c.Relations == nil || c.Reader == nil {
		return nil, errors.New("the registry needs records, and relations to write and to read")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{records: c.Records, relations: c.Relations, reader: c.Reader, now: c.Now}, nil
}

// write runs f in a transaction and writes the updates that it returns to the graph in the
// same. A caller who goes away once it has begun does not end it.
func (s *Service) write(ctx context.Context, f func(context.Context, *records.Tx) ([]relation.Update, error)) (relation.Revision, error) {
	if err := ctx.Err(); err != nil {
		return "", fault.New(fault.Canceled, fault.ReasonUnavailable, "the call ended before its turn to write; nothing was written").Because(err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	var revision relation.Revision
	err := s.records.Write(ctx, func(ctx context.Context, tx *records.Tx) error {
		updates, err := f(ctx, tx)
		if err != nil || len(updates) == 0 {
			return err
		}
		revision, err = s.relations.Write(ctx, updates)
		return err
	})
	if err != nil {
		return "", err
	}
	if revision == "" {
		return s.relations.Head(ctx)
	}
	return revision, nil
}

func touch(of relation.Object, name string, to party.ID) relation.Update {
	return relation.Update{Op: relation.Touch, Relationship: tuple(of, name, to)}
}

func remove(of relation.Object, name string, to party.ID) relation.Update {
	return relation.Update{Op: relation.Delete, Relationship: tuple(of, name, to)}
}

func tuple(of relation.Object, name string, to party.ID) relation.Relationship {
	return relation.Relationship{Resource: of, Relation: name, Subject: relation.Subject{Object: relation.Party(int64(to))}}
}

// page returns how many entries to ask for, one more than are shown.
func page(size int) int {
	const usual = 1000
	if size == 0 {
		size = usual
	}
	return size + 1
}
