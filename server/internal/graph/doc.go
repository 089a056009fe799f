// Package graph holds relationships in memory: a relation graph with many versions.
//
// It owns the numbers that stand for objects and relations, the edges between them in both
// directions, immutable snapshots, the one writer, the log of what each revision changed,
// and a bounded memory of older snapshots. It refuses storage, schemas, evaluation and
// clocks: SQL and SpiceDB are unknown to it, what a permission means is the caller's
// business, and whether a tuple has expired is judged by a reader against the instant that
// he brings. server/internal/store makes it durable and answers SpiceDB's queries from it;
// compiled walks read it by numbers.
//
// # Reading
//
// Graph.Head and Graph.At return a *Snapshot. A snapshot never changes and its methods take
// no locks. Names are turned into numbers by Snapshot.Node and Snapshot.Rel; a number is
// good for every later snapshot of the same graph. Snapshot.Forward and Snapshot.Reverse
// return the edges of one object without allocating; Snapshot.Query answers filters by
// names, in three orders, with cursors.
//
// # Writing
//
// Graph.Begin opens the only transaction, on what the transaction before it left, published
// or not. Tx.Touch, Tx.Create and Tx.Delete change it, Tx.View reads it, Tx.Seal gives it a
// revision and Tx.Drop undoes it. Sealed transactions wait, invisible, until Graph.Publish
// or Graph.Drop: the store seals the members of a group one after the other, commits them
// to disk together, and then publishes or drops them together.
//
// # Representation
//
// An object is a number (Node) into an append-only dictionary that all snapshots share:
// bytes in an arena, found by an open-addressing table of arena offsets whose slots are
// published atomically by the writer. A snapshot remembers where the dictionary ended when
// it was sealed and does not see beyond, so a dropped transaction takes its names back.
//
// An edge is one word: relation, kind of subject, node and two bits that say whether
// there is a payload (expiry, caveat). Sixteen neighbouring nodes share a page for each
// direction, in which their lists lie one behind the other; lists of more than 64 edges are
// persistent B+trees. Pages hang in persistent radix trees by node number. Payloads lie
// beside the page or the tree and only for tuples that have one. A transaction copies what
// it changes once and then edits its own copy in place; the epoch in each piece says whose
// it is.
package graph
