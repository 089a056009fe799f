// Package migrations holds the SQL that brings a records database to its present shape.
//
// It owns numbered, forward-only files, one directory per kind of database: NNNN_what.sql,
// applied once each and in order. A file that was released is never changed. It refuses to
// run them: server/internal/sqlite and server/internal/postgres do.
package migrations
