package engine

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"github.com/authzed/spicedb/pkg/cursor"
	"github.com/authzed/spicedb/pkg/zedtoken"
)

var errForeign = errors.New("it was given for another datastore")

// Ours refuses tokens and cursors that another datastore gave, such as the one that this one
// was restored from: of a state that is lost, or was never here, nothing can be told. Those
// that it can make nothing of are left to SpiceDB, which says what is wrong with them.
func (e *Engine) Ours(ctx context.Context, c *v1.Consistency, after *v1.Cursor) error {
	for _, token := range []*v1.ZedToken{c.GetAtLeastAsFresh(), c.GetAtExactSnapshot()} {
		if token == nil {
			continue
		}
		if decoded, err := zedtoken.DecodeRevision(token, e.layer); err == nil && decoded.Status != zedtoken.StatusValid {
			return notOurs().Because(errForeign)
		}
	}
	if after == nil {
		return nil
	}
	_, _, of, err := cursor.DecodeToDispatchRevisionAndSchemaHash(ctx, after, e.layer)
	if err == nil && of != zedtoken.StatusValid {
		return notOurs().Because(errForeign)
	}
	return nil
}

// Sign says in a cursor which datastore it belongs to, as tokens do and SpiceDB's cursors do
// not: by its revision alone a cursor would be taken for one of whatever state has that
// number.
func (e *Engine) Sign(ctx context.Context, c *v1.Cursor) error {
	decoded, err := cursor.Decode(c)
	if err != nil {
		return fmt.Errorf("read a cursor of SpiceDB's: %w", err)
	}
	of := decoded.GetV1()
	if of == nil {
		return errors.New("a cursor of SpiceDB's is of a kind that is not known")
	}
	if of.DatastoreUniqueId, err = e.layer.UniqueID(ctx); err != nil {
		return err
	}
	signed, err := cursor.Encode(decoded)
	if err != nil {
		return err
	}
	c.Token = signed.GetToken()
	return nil
}
