// Package consistency runs SpiceDB's consistency suite over Behalf's store: every question
// of its corpus, by every API, with several sizes of chunks and kinds of dispatch.
//
// It is a module of its own, because that suite brings along the containers of databases
// that it can also be run on, and nothing else here needs those. It takes minutes:
//
//	cd server/testkit/consistency && go test -timeout 2h .
package consistency
