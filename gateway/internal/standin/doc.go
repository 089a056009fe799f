// Package standin is the services' side of the gRPC contract for tests of the gateway's
// protocol work alone: it answers what a test tells it to, status errors included, which
// real services give only when something is broken.
//
// It owns no behaviour; that of the real services is tested end to end in package server.
// It refuses use outside tests. The tests of the packages below gateway call it.
package standin
