package store

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/server/internal/sqlite"
)

var (
	// ErrClosed is returned by a store that was closed.
	ErrClosed = errors.New("the store is closed")

	// ErrRetry is wrapped by the error of a transaction that did not fail by itself and left
	// nothing, so that it may be run again. ReadWriteTx does that a few times before it
	// gives up.
	ErrRetry = errors.New("the transaction was undone for what others did")

	errEnded = errors.New("the transaction has ended")
)

// InUseError is returned when another process has the data directory open.
type InUseError struct {
	Dir    string
	Holder string // what the other process says of itself, may be empty
}

// Error says who has the directory and what can be done.
func (e *InUseError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("the data directory %s is in use by %s; one process can have it open: use that one over its address, stop it, or name another directory", e.Dir, holder)
}

// writeError is an error of the disk or of SQLite while something was written.
type writeError struct {
	doing string
	err   error
}

// Error says what was being done.
func (e *writeError) Error() string { return e.doing + ": " + e.err.Error() }

// Unwrap returns the cause.
func (e *writeError) Unwrap() error { return e.err }

// GRPCStatus tells clients that the fault is ours and may pass.
func (e *writeError) GRPCStatus() *status.Status {
	if full(e.err) {
		return status.New(codes.ResourceExhausted, "the disk is full; nothing was written")
	}
	return status.New(codes.Unavailable, "the store cannot write now; nothing was written")
}

// full reports whether there was no room for what should be written.
func full(err error) bool { return sqlite.IsFull(err) }

// goneError is the caller's own: he did not wait.
func goneError(ctx context.Context) error {
	return status.FromContextError(context.Cause(ctx)).Err()
}
