package sqlite

import (
	"database/sql"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver named below
)

// Options say what a pool of connections is for. The zero Options write.
type Options struct {
	ReadOnly bool // the pool never writes
	Conns    int  // how many connections there may be; 0 is one
}

// Open returns a pool of connections to the database in a file, which is made when there is
// none: its pages get checksums, which every read compares. An empty path is a database in
// memory. It belongs to its one connection, which therefore must never be given up while
// idle: no limit of age is set.
//
// Transactions of a pool that writes take the database's lock at once, so that none fails
// for having read first; a commit has reached the disk when it returns.
func Open(path string, o Options) (*sql.DB, error) {
	name := "file::memory:"
	options := url.Values{
		"_txlock":       {"immediate"},
		"_foreign_keys": {"true"},
		"_busy_timeout": {"10000"},
		"_dqs":          {"false"},
		"_pragma":       {"cache_size(-65536)", "temp_store(memory)", "journal_size_limit(67108864)"},
	}
	if path != "" {
		if err := prepare(path, o); err != nil {
			return nil, err
		}
		options.Set("vfs", vfsName)
		name = (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
		options.Set("_journal_mode", "WAL")
		options.Set("_synchronous", "FULL")
		if o.ReadOnly {
			options.Set("_txlock", "deferred")
			options.Set("_query_only", "true")
			options.Set("_pragma", "cache_size(-8192)")
		}
	}
	db, err := sql.Open("sqlite", name+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database %q: %w", path, err)
	}
	db.SetMaxOpenConns(max(o.Conns, 1))
	db.SetMaxIdleConns(max(o.Conns, 1))
	return db, nil
}

// prepare makes the database of an empty file, for one that writes.
func prepare(path string, o Options) error {
	if o.ReadOnly {
		return register()
	}
	is, err := isEmpty(path)
	if err != nil {
		return fmt.Errorf("open database %q: %w", path, err)
	}
	if is {
		return create(path)
	}
	return register()
}
