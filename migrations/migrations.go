package migrations

import "embed"

// SQLite are the files for SQLite, under sqlite/.
//
//go:embed sqlite/*.sql
var SQLite embed.FS

// Postgres are the files for Postgres, under postgres/. They run in the schema behalf.
//
//go:embed postgres/*.sql
var Postgres embed.FS
