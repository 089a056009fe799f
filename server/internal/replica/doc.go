// Package replica keeps the relation graph of a Postgres database in the memory of each
// server on it, exactly fresh.
//
// It owns the load of the graph from SpiceDB's tables, the question by which it learns what
// has changed since, and the memory of which of Postgres' snapshots equals which of the
// graph's. It refuses to guess: what it returns is proved, by a question that began after it
// was asked for, to hold every write acknowledged before; when that takes too long, or when
// the database does not answer, it says so, and its caller asks SpiceDB. It writes nothing,
// judges no expiry and evaluates no permission.
//
// server/internal/engine opens it beside SpiceDB's engine over the same database, answers
// from it where a walk can, and gives its revisions out: they are Postgres' own.
//
// # Exactness
//
// Postgres says of each statement which transactions it sees. One statement both asks which
// relation transactions the replica does not contain, and reads the rows that those wrote or
// ended, so that what it returns turns the state at the replica's snapshot into the state at
// the statement's. A row that is alive in it is written to the graph, a row that is not is
// removed; in which order transactions were committed does not matter, nor does their number,
// and doing it again changes nothing. A transaction that is still open is neither contained
// nor forgotten: the snapshot names it, and a later question finds it once it has ended.
//
// SpiceDB's own Watch was not enough for this: it polls every tenth of a second, and it tells
// nothing of schemas that are kept as one text, as ours are.
//
// # When the graph is loaded anew
//
// A Postgres server that was restarted, or that another took over from, may have lost
// transactions that were never acknowledged but seen, and given their numbers to others. Rows
// of the past are removed for good after SpiceDB's window, a day. After either, and whenever
// the database is behind the replica, nothing tells the difference any more: the graph is
// given up and loaded again, while SpiceDB answers.
package replica
