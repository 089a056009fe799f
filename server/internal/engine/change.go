package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	"github.com/authzed/spicedb/pkg/datastore/queryshape"
	"github.com/authzed/spicedb/pkg/tuple"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Target says what the schema is to become. It returns the wanted schema and its text, and
// live itself, without a text, when nothing is to be changed. A change calls it while nobody
// else can replace the schema.
type Target func(ctx context.Context, live *Schema) (wanted *Schema, text string, err error)

// Own is a target: the definitions of a text take the place of those of the same names, and
// all others stay.
func Own(text string) Target {
	return func(ctx context.Context, live *Schema) (*Schema, string, error) {
		own, err := ParseSchema(text)
		if err != nil {
			return nil, "", fault.New(fault.Internal, fault.ReasonInternal, "Behalf's own schema does not compile").Because(err)
		}
		if lacking, changed := live.Compare(own); len(lacking) == 0 && len(changed) == 0 {
			return live, "", nil
		}
		merged, err := merge(ctx, own, live)
		if err != nil {
			return nil, "", err
		}
		return parsed(merged)
	}
}

// Others is a target: the definitions of a text are all that there are but for those of the
// names in own, which stay as they are.
func Others(own []string, text string) Target {
	return func(ctx context.Context, live *Schema) (*Schema, string, error) {
		others, err := ParseSchema(text)
		if err != nil {
			return nil, "", fault.New(fault.Invalid, fault.ReasonInvalidArgument, "the definitions do not compile: %s", err).Because(err)
		}
		for _, name := range own {
			if others.has(name) {
				return nil, "", fault.New(fault.Invalid, fault.ReasonInvalidArgument, "the definition %s is Behalf's own; leave it out", name)
			}
		}
		kept := live.ordered[:0:0]
		for _, d := range live.ordered {
			if slices.Contains(own, d.GetName()) {
				kept = append(kept, d)
			}
		}
		merged, err := merge(ctx, newSchema(kept), others)
		if err != nil {
			return nil, "", err
		}
		return parsed(merged)
	}
}

func parsed(text string) (*Schema, string, error) {
	s, err := ParseSchema(text)
	if err != nil {
		return nil, "", fault.New(fault.Internal, fault.ReasonInternal, "the merged schema does not compile").Because(err)
	}
	return s, text, nil
}

// DiffSchema compares the live schema with a target, and counts the live relationships that
// each change touches.
func (e *Engine) DiffSchema(ctx context.Context, to Target, declared ...relations.Rename) (*Difference, error) {
	live, err := e.liveSchema(ctx)
	if err != nil {
		return nil, err
	}
	d, _, err := compared(ctx, live, to, declared)
	if err != nil {
		return nil, err
	}
	head, err := e.store.HeadRevision(ctx)
	if err != nil {
		return nil, faultOf(err)
	}
	census, _, err := d.census(ctx, e.store.SnapshotReader(head.Revision))
	if err != nil {
		return nil, faultOf(err)
	}
	d.judge(census)
	return d, nil
}

// LiveSchema returns the schema at the head. It is empty before the first one is written.
func (e *Engine) LiveSchema(ctx context.Context) (*Schema, error) { return e.liveSchema(ctx) }

func compared(ctx context.Context, live *Schema, to Target, declared []relations.Rename) (*Difference, string, error) {
	wanted, text, err := to(ctx, live)
	if err != nil {
		return nil, "", err
	}
	d, err := Compare(live, wanted, declared)
	return d, text, err
}

// ChangeSchema brings the live schema to a target, and returns by what it differed. Declared
// renames rewrite their relationships in the same transaction. It is refused when live
// relationships would be left without a place. also, when it is not nil, is run before the
// schema is written, in the same transaction, and again when that was undone for what others
// did; when nothing differs, it is all that is run.
func (e *Engine) ChangeSchema(ctx context.Context, to Target, also func(context.Context) error, declared ...relations.Rename) (*Difference, error) {
	release, err := e.HoldSchema(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return e.ChangeHeldSchema(ctx, to, also, declared...)
}

// ChangeHeldSchema is ChangeSchema for who holds the schema, see HoldSchema.
func (e *Engine) ChangeHeldSchema(ctx context.Context, to Target, also func(context.Context) error, declared ...relations.Rename) (*Difference, error) {
	live, err := e.liveSchema(ctx)
	if err != nil {
		return nil, err
	}
	d, text, err := compared(ctx, live, to, declared)
	if err != nil {
		return nil, err
	}
	if also == nil {
		also = func(context.Context) error { return nil }
	}
	if len(d.Changes) == 0 {
		return d, also(ctx)
	}
	store, ok := e.store.(together)
	if !ok {
		return nil, errors.New("the datastore does not let a schema be changed in one transaction")
	}
	return d, faultOf(store.Together(ctx, func(ctx context.Context) error {
		if err := e.move(ctx, d); err != nil {
			return err
		}
		if err := also(ctx); err != nil {
			return err
		}
		return e.writeSchema(ctx, text)
	}))
}

// move rewrites, in the open transaction, the relationships that renames are about, and
// judges by what the transaction sees whether any would be left without a place.
func (e *Engine) move(ctx context.Context, d *Difference) error {
	_, err := e.store.ReadWriteTx(ctx, func(ctx context.Context, tx datastore.ReadWriteTransaction) error {
		census, updates, err := d.census(ctx, tx)
		if err != nil {
			return err
		}
		d.judge(census)
		if err := d.Orphans(); err != nil {
			return err
		}
		return tx.WriteRelationships(ctx, updates)
	}, options.WithDisableRetries(true))
	return err
}

// relationshipReader is what relationships are read from.
type relationshipReader interface {
	QueryRelationships(ctx context.Context, filter datastore.RelationshipsFilter, options ...options.QueryOptionsOption) (datastore.RelationshipIterator, error)
}

// census counts the live relationships that changes are about, and returns what rewrites
// those that move.
func (d *Difference) census(ctx context.Context, from relationshipReader) (Census, []tuple.RelationshipUpdate, error) {
	census := make(Census)
	var updates []tuple.RelationshipUpdate
	for _, name := range d.counted() {
		found, err := from.QueryRelationships(ctx, datastore.RelationshipsFilter{OptionalResourceType: name[0], OptionalResourceRelation: name[1]},
			options.WithQueryShape(queryshape.Varying))
		if err != nil {
			return nil, nil, err
		}
		for r, err := range found {
			if err != nil {
				return nil, nil, err
			}
			shape := shapeOf(&r)
			census[shape]++
			if renames(d.Renames).shape(shape) != shape {
				updates = append(updates, tuple.Delete(r), tuple.Touch(renames(d.Renames).relationship(r)))
			}
		}
	}
	return census, updates, nil
}

// writeSchema makes a text live.
func (e *Engine) writeSchema(ctx context.Context, text string) error {
	request := &v1.WriteSchemaRequest{Schema: text}
	if err := e.validate(request); err != nil {
		return err
	}
	_, err := e.services.Schema.WriteSchema(e.Context(ctx), request)
	switch status.Code(err) { //nolint:exhaustive // all others say nothing about the schema
	case codes.InvalidArgument, codes.FailedPrecondition:
		return fault.New(fault.Precondition, ReasonSchemaConflict,
			"the schema cannot be brought to the wanted definitions: %s", status.Convert(err).Message()).Because(err)
	}
	if err != nil {
		return fmt.Errorf("write the schema: %w", faultOf(err))
	}
	return nil
}
