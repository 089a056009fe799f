// Package store keeps relationships, schema and their history in one SQLite file, and
// answers from memory.
//
// It owns the file and its lock, the order in which a write becomes durable and then
// visible, revisions, and the log that watchers resume from. A *Store is SpiceDB's
// datastore.Datastore: queries are answered by snapshots of server/internal/graph, which
// Open loads from the file. It refuses meaning: schemas are kept, not understood, and rows
// of other packages are only given their place in a transaction, see Store.Write. The
// composition root opens it; server/internal/engine asks it; server/internal/records keeps
// its rows in it.
//
// # Commit
//
// Writers queue. One goroutine opens a SQLite transaction, lets the writers in the queue run
// one after another, commits once for all of them, publishes their snapshots, wakes watchers
// and only then answers. Each writer has a savepoint, a transaction of the graph and a
// revision of its own and sees what its predecessors in the group left. When one fails, its
// savepoint and its part of the graph are undone and nobody else notices. When the commit
// fails, every writer of the group gets the error and the graph forgets them all. So a
// snapshot that anybody can read is on the disk, and a writer that was answered is in it.
//
// A writer's function runs while the writer before it has ended and none after it has begun:
// it must not wait for a client.
//
// # Revisions
//
// A revision is a number that grows by one with each transaction that changed something, and
// never a clock. The file keeps what each revision made and ended, so that a watcher can
// resume from any that is not older than Config.History.
//
// # The past
//
// A moment is a revision with the instant at which expiry is judged. Store.Past finds the one
// of a time or of a revision and makes its state ready: memory's own or, where memory has
// forgotten, a graph of its own that is loaded from the file, compared with the checksum
// which that revision left, and read as every other. Such graphs are loaded one at a time and
// only for who may ask for them; a few are kept. A plain revision is never read so: a
// request that did not ask Past is told that the revision is stale.
package store
