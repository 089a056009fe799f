package outbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// A write whose end fails for a reason of its own is tried again after firstWait, then after
// twice as long each time, up to longestWait. After mostAttempts it is parked: all others have
// waited for half a minute by then, as writes end in their order.
const (
	mostAttempts = 8
	firstWait    = 250 * time.Millisecond
	longestWait  = 10 * time.Second
)

var errParked = errors.New("the write is parked")

func newParked() prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "behalf_outbox_parked",
		Help: "Writes on Postgres that were put aside because their end failed again and again; `behalf verify` names them.",
	})
}

// failed returns the fault of a write whose end has failed. One that fails for what passes, a
// connection or a conflict, is tried again as often as it takes. Any other is counted.
func (o *Outbox) failed(ctx context.Context, l *lease, i *intent, err error) error {
	if passing(err) {
		return unavailable(err, "it may be finished yet")
	}
	if i.attempts++; i.attempts >= mostAttempts {
		return o.park(ctx, l, i, err)
	}
	wait := min(firstWait<<(i.attempts-1), longestWait)
	counted := l.within(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE intent SET attempts = $2, retry = clock_timestamp() + $3::interval, why = $4 WHERE number = $1",
			i.number, i.attempts, wait, reason(err))
		return err
	})
	o.logger.WarnContext(ctx, "the end of a write has failed", "number", i.number, "operation", i.operation,
		"attempts", i.attempts, "again", wait, "error", err)
	return unavailable(errors.Join(err, counted), "it may be finished yet")
}

// park puts a write aside. Its relations may be written, its rows are not.
func (o *Outbox) park(ctx context.Context, l *lease, i *intent, err error) error {
	parked := l.within(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE intent SET attempts = $2, parked = clock_timestamp(), why = $3 WHERE number = $1",
			i.number, i.attempts, reason(err))
		return err
	})
	if parked != nil {
		return unavailable(errors.Join(err, parked), "it may be finished yet")
	}
	o.parked.Inc() // look sets it to what all servers have parked
	o.logger.ErrorContext(ctx, "a write is parked: its relations may be written, its rows are not; `behalf verify` says what to do",
		"number", i.number, "operation", i.operation, "attempts", i.attempts, "error", err)
	return fault.New(fault.Internal, fault.ReasonInternal, "the write cannot be finished; the server's operator is told").
		Because(errors.Join(err, errParked))
}

// reason is an error as it is kept: Postgres takes no NUL.
func reason(err error) string { return strings.ReplaceAll(err.Error(), "\x00", "") }

// passing reports whether an error is of what comes and goes.
func passing(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Aborted, fault.Deadline, fault.Canceled:
		return true
	case fault.Internal, fault.Invalid, fault.Precondition, fault.OutOfRange, fault.Exhausted, fault.Exists, fault.NotFound,
		fault.Denied, fault.Unauthenticated, fault.Unimplemented:
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok && strings.HasPrefix(answer.Code, "40") {
		return true // undone for what others did
	}
	for _, e := range []error{errLeaseLost, context.Canceled, context.DeadlineExceeded, sql.ErrConnDone, driver.ErrBadConn} {
		if errors.Is(err, e) {
			return true
		}
	}
	return postgres.Unreachable(err)
}

// Parked is a write that was put aside.
type Parked struct {
	Number    int64
	Operation string // in the metadata of its relationships' transaction, if that was made
	Since     time.Time
	Attempts  int
	Why       string
}

// ListParked returns the writes of a migrated database that were put aside.
func ListParked(ctx context.Context, db *sql.DB) (all []Parked, err error) {
	rows, err := db.QueryContext(ctx, "SELECT number, operation, parked, attempts, why FROM intent WHERE parked IS NOT NULL ORDER BY number")
	if err != nil {
		return nil, fmt.Errorf("read the parked writes: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what matters
	for rows.Next() {
		var p Parked
		if err := rows.Scan(&p.Number, &p.Operation, &p.Since, &p.Attempts, &p.Why); err != nil {
			return nil, fmt.Errorf("read the parked writes: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// Explain says of an error of a statement on this database what it is: that the connection was
// lost is no fault of what was asked.
func (o *Outbox) Explain(_ context.Context, err error) error {
	if !postgres.Unreachable(err) {
		return err
	}
	return fault.New(fault.Unavailable, fault.ReasonUnavailable, "the database cannot be reached").Because(err)
}
