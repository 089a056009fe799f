// Package records keeps what is recorded of parties, who holds which role in them by
// which source, and the keys of services, in SQL.
//
// It owns rows. It refuses meaning: it neither merges what sources say nor knows what an
// assignment gives; server/internal/register does, which writes parties and assignments.
// server/internal/party loads its directory from here, and server/internal/authn its keys.
// A party's relations are not here but in the graph.
//
// The database is SQLite, and somebody else's: in a server it is the store's, so that
// records and relationships are written in one transaction.
package records
