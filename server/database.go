package server

import (
	"context"
	"database/sql"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/store"
)

// database lets records lie in the store, so that one transaction writes them and what
// follows from them in the graph.
type database struct{ store *store.Store }

// Read returns the store's pool that reads.
func (d database) Read() *sql.DB { return d.store.Read() }

// Explain says of an error of a statement what it is: a *store.DamagedError names file, table
// and page.
func (d database) Explain(ctx context.Context, err error) error { return d.store.Explain(ctx, err) }

// Write runs f in a transaction of the store.
func (d database) Write(ctx context.Context, f func(context.Context, records.Statements) error) error {
	var own error
	_, err := d.store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		own = f(ctx, tx)
		return own
	})
	if err == nil || own != nil && errors.Is(err, own) {
		return own
	}
	return storeFault(err)
}

// storeFault turns an error of the store into a fault. All of them left nothing written.
func storeFault(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	switch {
	case errors.Is(err, store.ErrRetry):
		return fault.New(fault.Aborted, fault.ReasonUnavailable, "the write was undone for what others did; try again").Because(err)
	case status.Code(err) == codes.ResourceExhausted:
		return fault.New(fault.Exhausted, fault.ReasonUnavailable, "the server's disk is full; nothing was written").Because(err)
	case status.Code(err) == codes.Canceled:
		return fault.New(fault.Canceled, fault.ReasonUnavailable, "the call ended before its turn to write; nothing was written").Because(err)
	case status.Code(err) == codes.DeadlineExceeded:
		return fault.New(fault.Deadline, fault.ReasonUnavailable, "the call ended before its turn to write; nothing was written").Because(err)
	}
	return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the store cannot write now; nothing was written").Because(err)
}
