package records

import (
	"context"
	"database/sql"
)

// Inspect returns the records as an open transaction of their database sees them, for
// reading. They end with it.
func Inspect(ctx context.Context, tx *sql.Tx) *Tx { return &Tx{newStatements(ctx, tx, asWritten)} }
