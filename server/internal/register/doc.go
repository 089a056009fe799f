// Package register writes parties and who holds which role in them: the records and the
// relationships that follow from them, together.
//
// It owns the rules by which several sources speak of one party: who is meant, what holds
// when they differ, and what goes when one of them falls silent. It owns the derivation of
// a party's tuples from its record and assignments, and the import of whole files. It
// refuses questions (server/internal/party and server/internal/role answer them), SQL
// (server/internal/records) and SpiceDB (server/internal/engine): it knows the graph as something
// that takes updates. server/internal/rpc/register calls it.
//
// # How a write is made
//
// One write runs at a time. It opens a transaction of the records, derives the tuples of
// every party concerned that is on record, changes the rows, derives those of all, writes the
// difference to the graph, commits, and tells the directory. In the store that holds rows and
// tuples this is one transaction. Where they are two, and the graph refuses, nothing is committed; if the
// commit fails, the difference is written back; and once the graph has been asked, a caller
// who goes away no longer ends the write: it would leave tuples without rows.
//
// # How an import is planned
//
// A file's entries are kept packed, and of every party on record no more than tells it from
// others: some 300 bytes for each party in all, with its roles. An import compares each party
// once to know what it does, which it may have to refuse to do, and again when the party is
// written, since what is written of millions would not fit into memory.
//
// # Sources
//
// A party is what its sources say: of each field, the value that the source written last
// gives, where sources that identify the party outrank those that only know it by a key
// of their own. Identifiers stay with the party once they are known. A role stands while
// any source asserts it, as long as the longest of them says. Organisation numbers and
// national ids are taken as they are, without checking their control digits, so that
// made-up test registers can be used.
package register
