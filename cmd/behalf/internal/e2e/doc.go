// Package e2e proves the whole server from outside: it starts the server that main starts,
// on free loopback ports, and speaks to it over gRPC and HTTP as its users do.
//
// It owns proofs that cross doors; what one package can prove alone is tested there. It
// has no code of its own besides tests.
package e2e
