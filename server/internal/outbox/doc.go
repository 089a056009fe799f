// Package outbox writes rows and relationships together on Postgres, where no transaction
// can hold both: SpiceDB's engine owns its own, and nobody can join it.
//
// It owns the protocol by which such a write is made, the lease under which it is made,
// and the end of writes that a server has left half done. It refuses to know what rows and
// relationships mean. The composition root puts it between server/internal/records, whose
// Database it is, server/internal/register and the engine.
//
// # How a write is made
//
// Under a lease, which one server at a time has:
//
//  1. One transaction runs the writer's function, notes its statements and the updates of
//     the graph that it asks for, undoes the statements, and keeps both as an intent. The
//     new rows are not visible: they are what the intent says.
//  2. The graph is written, with the intent's operation in the transaction's metadata.
//  3. One transaction runs the intent's statements and drops the intent.
//
// So relations always go first. A party is never seen without its relations; a right that
// is taken away has gone from the graph before its rows go. Who takes the lease first
// finishes, in their order, the intents that others have left: every step can be taken
// again. A write that is all rows is one transaction.
//
// A write of more updates than the graph makes in one transaction is made in several: whole
// too, as its rows come last and what has begun is finished, but relations become visible by
// and by.
//
// A write whose end fails for what passes, such as a lost connection, is tried until it ends.
// One that fails for a reason of its own holds up all others; it is tried a few times, each
// time later, and then parked: its row stays and says why, a metric counts it, and others go
// on. An operator finds it by `behalf verify`.
//
// # The lease
//
// The lease is a lock of the session of one connection, and steps 1 and 3 are made on that
// connection: who has lost the lease cannot take them. Step 2 is SpiceDB's, on another
// connection; within its transaction, which is serializable, the lease's connection is
// asked whether it is there still. If it is, whatever another server does under the lease
// later is concurrent with, or after, this transaction, and Postgres orders them or undoes
// one.
package outbox
