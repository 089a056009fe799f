package registry

import (
	"context"
	"errors"
	"strconv"
	"strings"
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

// Directory knows parties by what names them.
type Directory interface {
	Get(id party.ID) (party.Party, bool)
	ByUUID(uuid string) (party.Party, bool)
	ByOrgNumber(number string) (party.Party, bool)
	ByNationalID(number string) (party.Party, bool)
}

// Config is what a Service works with. All but Now are required. What is written to
// Relations with the context of a transaction of Records must be part of it.
type Config struct {
	Records   *records.Store
	Relations Relations
	Reader    Reader
	Directory Directory
	Now       func() time.Time // nil for the clock
}

// Service keeps system users, access lists and resources. It is safe for concurrent use.
type Service struct {
	records   *records.Store
	relations Relations
	reader    Reader
	directory Directory
	now       func() time.Time
}

// New returns a service.
func New(c Config) (*Service, error) {
	if c.Records == nil || c.Relations == nil || c.Reader == nil || c.Directory == nil {
		return nil, errors.New("the registry needs records, relations to write and to read, and a directory")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Service{records: c.Records, relations: c.Relations, reader: c.Reader, directory: c.Directory, now: c.Now}, nil
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

// Reference names a party as files and calls do: party:<partyId>, uuid:<UUID>,
// org:<organisation number> or nin:<national identity number>.
type Reference string

// resolve returns the party that a reference of a field names.
func (s *Service) resolve(field string, name Reference) (party.Party, error) {
	scheme, value, _ := strings.Cut(string(name), ":")
	var (
		p     party.Party
		known bool
	)
	switch scheme {
	case "party":
		id, err := strconv.ParseInt(value, 10, 32)
		if err != nil || id <= 0 {
			return party.Party{}, malformed(field)
		}
		p, known = s.directory.Get(party.ID(id))
	case "uuid":
		p, known = s.directory.ByUUID(value)
	case "org":
		p, known = s.directory.ByOrgNumber(value)
	case "nin":
		p, known = s.directory.ByNationalID(value)
	default:
		return party.Party{}, malformed(field)
	}
	if !known {
		e := fault.Field(field, "no party is known as %s", name)
		e.Reason = fault.ReasonPartyNotFound
		return party.Party{}, e
	}
	return p, nil
}

func malformed(field string) error {
	return fault.Field(field, "must be party:<partyId>, uuid:<UUID>, org:<nine digits> or nin:<eleven digits>")
}

// ReferenceTo returns the reference to a party by its id.
func ReferenceTo(id party.ID) Reference {
	return Reference("party:" + strconv.FormatInt(int64(id), 10))
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
