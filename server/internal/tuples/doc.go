// Package tuples translates between SpiceDB's relationships and those of the graph.
//
// It owns the two directions of that translation, and the answers to SpiceDB's queries from a
// snapshot of the graph. It refuses state: whose snapshot that is, and of which revision, its
// callers know. server/internal/store is one of them, whose truth is a file, and
// server/internal/engine the other, for a graph that follows a Postgres database.
package tuples
