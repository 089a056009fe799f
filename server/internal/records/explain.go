package records

import (
	"context"
	"errors"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Explainer is a Database that knows its errors: that the connection was lost, or that the
// file is broken.
type Explainer interface {
	// Explain returns what an error of a statement is, or the error itself.
	Explain(ctx context.Context, err error) error
}

// explain returns what the error of a transaction is. What somebody has found fault with
// already stays that.
func (s *Store) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if e, ok := s.db.(Explainer); ok {
		return e.Explain(ctx, err)
	}
	return err
}
