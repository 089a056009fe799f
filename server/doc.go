// Package server is the composition root of Behalf: it opens the store, starts the
// engine, builds every service and binds both ports, in one function that reads top to
// bottom. cmd/behalf and the end-to-end tests start the same Server.
//
// It owns wiring, listening and the order of start and stop. It refuses domain rules
// (server/internal/...) and foreign protocols (gateway/...).
package server
