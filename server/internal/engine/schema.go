package engine

import (
	"context"
	"fmt"
	"slices"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/schemadsl/compiler"
	"github.com/authzed/spicedb/pkg/schemadsl/generator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// EnsureSchema brings the live schema to hold every definition of own, a schema text, as
// it is there. Definitions of other names stay as they are. It writes nothing when the
// live schema means the same already, and fails with Precondition when it cannot be done:
// tuples would be orphaned, or a definition of others refers to what own no longer has.
func (e *Engine) EnsureSchema(ctx context.Context, own string) error {
	_, err := e.ChangeSchema(ctx, Own(own), nil)
	return err
}

// schemaHolder is a datastore that several engines share, each for itself. It keeps them
// from replacing the schema at once.
type schemaHolder interface {
	HoldSchema(ctx context.Context) (release func(), err error)
}

// HoldSchema keeps other callers of HoldSchema, EnsureSchema among them, waiting until
// release is called, whichever server on the datastore they call. Whoever replaces the
// schema holds it from before he reads it.
func (e *Engine) HoldSchema(ctx context.Context) (release func(), err error) {
	select {
	case e.schema <- struct{}{}:
	case <-ctx.Done():
		return nil, faultOf(ctx.Err())
	}
	here := func() { <-e.schema }
	shared, ok := e.store.(schemaHolder)
	if !ok {
		return here, nil
	}
	everywhere, err := shared.HoldSchema(ctx)
	if err != nil {
		here()
		if gone := gone(ctx); gone != nil {
			return nil, gone
		}
		return nil, unavailable().Because(err)
	}
	return func() {
		everywhere()
		here()
	}, nil
}

// liveSchema reads the schema at the head; it is empty before the first one is written.
func (e *Engine) liveSchema(ctx context.Context) (*Schema, error) {
	if err := e.running(); err != nil {
		return nil, err
	}
	response, err := e.services.Schema.ReadSchema(e.Context(ctx), &v1.ReadSchemaRequest{})
	if status.Code(err) == codes.NotFound {
		return &Schema{}, nil
	}
	if err != nil {
		return nil, faultOf(err)
	}
	live, err := ParseSchema(response.GetSchemaText())
	if err != nil {
		return nil, fault.New(fault.Internal, fault.ReasonInternal, "the live schema does not compile").Because(err)
	}
	return live, nil
}

// merge returns the text of a schema with the definitions of own, followed by those of
// live that own does not name.
func merge(ctx context.Context, own, live *Schema) (string, error) {
	all := slices.Clone(own.ordered)
	for _, d := range live.ordered {
		if !own.has(d.GetName()) {
			all = append(all, d)
		}
	}
	text, whole, err := generator.GenerateSchema(ctx, all)
	if err == nil && !whole {
		err = fmt.Errorf("a definition has no text")
	}
	if err == nil {
		err = sameMeaning(text, all)
	}
	if err != nil {
		return "", fault.New(fault.Precondition, ReasonSchemaConflict,
			"the live schema has definitions that cannot be carried over").Because(err)
	}
	return text, nil
}

// sameMeaning reports whether text compiles to the definitions it was generated from, so
// that no generated text can change what others defined.
func sameMeaning(text string, definitions []compiler.SchemaDefinition) error {
	back, err := ParseSchema(text)
	if err != nil {
		return err
	}
	lacking, changed := back.Compare(newSchema(definitions))
	if len(lacking) > 0 || len(changed) > 0 {
		return fmt.Errorf("generated text lacks %q and changes %q", lacking, changed)
	}
	return nil
}
