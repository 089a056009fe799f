// Package follow keeps what a server holds in memory of its records the same as a Postgres
// database that other servers write too.
//
// It owns the place in the log of changes up to which this server has followed, and brings
// parties and keys up to every write that was acknowledged before a call began, whichever
// server took it. It refuses to answer from what it could not bring up: the call fails.
// The composition root has it called before the caller of a call is established.
package follow
