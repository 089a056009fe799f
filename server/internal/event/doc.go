// Package event is the one structured log event of a request, filled in by whoever knows
// something worth logging and written once, when the request ends.
//
// It owns the collecting. It refuses writing: server/internal/rpc/interceptor makes the event, puts
// it into the context and writes it. Handlers and the domain call Annotate. What is
// annotated must be safe to keep: no secrets, no names and numbers of persons.
package event
