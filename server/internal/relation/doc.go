// Package relation is the vocabulary of the relation graph: objects, subjects,
// relationships, filters, revisions, and the ids under which parties, users and
// rights stand in it.
//
// It owns both directions of every id: what turns a party into an object's id and what
// turns an id back. It refuses storage and evaluation, and imports nothing of SpiceDB.
// Every domain package speaks it; server/internal/engine answers it.
package relation
