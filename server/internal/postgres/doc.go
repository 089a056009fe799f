// Package postgres connects to Postgres the way Behalf uses it.
//
// It owns how a database is named and reached, what a Postgres must be able to do, the
// locks that servers on one database take from each other, what they tell each other of
// their keys, and the run of the migrations of Behalf's own tables, which stand in the schema behalf.
//
// It refuses rows: server/internal/records owns Behalf's, and SpiceDB's engine, opened by
// server/internal/engine, its own.
package postgres
