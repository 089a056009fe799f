// Package migration brings SpiceDB's own tables in a Postgres database to those of the
// release that is embedded.
//
// It owns the lock under which that is done. It refuses to know the tables: SpiceDB's own
// command changes them, and drags in what its program is made of, which is why this is
// not part of package engine. The composition root calls it, and tests that need a database.
package migration
