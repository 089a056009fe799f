// Package sqlite opens SQLite databases the way Behalf keeps them, and migrates them.
//
// It owns what every connection is set to, the application id by which a file is known to
// be Behalf's, and the run of the migrations. It refuses rows: server/internal/store and
// server/internal/records, its callers, own those.
package sqlite
