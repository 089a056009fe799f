package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unreachable reports whether an error says that Postgres could not be reached, or was
// lost on the way, and nothing of what it was asked. What was being committed then may
// have been, or not.
func Unreachable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // who asked went away, or was out of time
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Classes: connection exception, insufficient resources, operator intervention
		// but for a statement that was cancelled.
		return strings.HasPrefix(answer.Code, "08") || strings.HasPrefix(answer.Code, "53") ||
			strings.HasPrefix(answer.Code, "57P")
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}
