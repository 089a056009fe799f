package audit

import (
	"context"
	"database/sql"
	"time"
)

// columns are those of the table, in the order of values.
const columns = "at, node, kind, user_id, system_user, party_id, resource, action, decision, record"

// values returns the row of a record.
func (l *line) values(node int64) []any {
	e := l.entry
	return []any{
		e.Time.UnixNano(), node, string(e.Kind), e.User, e.SystemUser, e.Party, e.Resource, e.Action, e.Decision, string(l.native),
	}
}

// rows are where a table lies.
type rows interface {
	sink
	// read returns a pool of connections that read, and how its texts are written.
	// What it reads has all records that were taken before the call.
	read() (*sql.DB, func(string) string, error)
	// prune removes at most a number of rows that are older, and returns how many it has.
	prune(ctx context.Context, before time.Time, limit int) (int64, error)
}
