package migrations

import "embed"

// SQLite are the files for SQLite, under sqlite/.
//
//go:embed sqlite/*.sql
var SQLite embed.FS
