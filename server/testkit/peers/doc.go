// Command peers starts the servers that Behalf is compared with, each on a Postgres of its
// own, and has them hold what a running Behalf holds: SpiceDB as it is, and OpenFGA.
//
// Relationships and schema are read from Behalf by authzed.api.v1, so that nothing is derived
// twice. SpiceDB gets both unchanged. OpenFGA gets a model that is translated from the schema,
// permission by permission: what the permissions that are asked for need, and no more.
// The same words ask the same question of each, and their oracle is Behalf's.
//
// What the translation leaves out: a relationship that has expired is not loaded, and one that
// will expire is loaded for good, since OpenFGA knows no expiry; arrows over all subjects
// (.all), self and caveats are refused, since Behalf's own schema has none. Relations that
// OpenFGA takes for reserved or too long have another name there. What is faithful need not
// be what an author of models for OpenFGA alone would write: has_dagl, a few relations and
// two hops, is a fair question to it; represent, a union of hundreds of relations, is the
// question that Behalf is made for.
//
// The servers run as they come from their authors, with their defaults, logs and metrics, but
// for limits that would cut an answer short, see spicedb.go and openfga.go. They are programs
// of their own, built from the versions in go.mod, with newer dependencies where Behalf or
// the other peer has them. They listen on this machine only.
//
// This module is not part of Behalf: it brings along all that OpenFGA needs, and only
// whoever compares needs that. `behalf bench --peers` asks what is started here, and reads
// where from the file that this program writes. See cmd/README.md.
package main
