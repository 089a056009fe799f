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

// Audit are the files for the SQLite file of the audit records, under audit/. On Postgres
// they are a table among the others.
//
//go:embed audit/*.sql
var Audit embed.FS
