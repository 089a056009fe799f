// Package migrations holds the SQL that brings a records database to its present shape, and
// the rule by which a program may run on a database that it did not migrate.
//
// It owns numbered, forward-only files, one directory per kind of database: NNNN_what.sql,
// applied once each and in order. A file that was released is never changed. Its first line
// names the oldest program that can run on a database after it, by the number of the newest
// file that this program has:
//
//	-- oldest: 3
//
// A table or a column that older programs leave alone keeps the number that was; what would
// mislead them takes the file's own. Both kinds of databases are numbered for themselves.
//
// A server's audit records are in a file of their own, with its own numbers; on Postgres they
// are one table among the others.
//
// It refuses to run anything: server/internal/sqlite and server/internal/postgres do.
package migrations
