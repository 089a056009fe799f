// Package enforce answers for API gateways whether a request may pass.
//
// It owns the routes file and its faults, Mia-Platform's auth.json, the one way in which a request's path, host and
// headers are read, the rules of routes, the party that a person acts for, and the identity
// headers that the service behind a gateway gets. It refuses transports: who tells of a
// request, and whether he is believed, is for the gateway's adapters. It refuses to
// authenticate, to answer about relations and to decide by policy: authn, engine and decision do.
//
// What is not let in by a rule stays out: no matching route is a denial, the zero Verdict is
// a denial, and whatever goes wrong, a panic too, is an error, which every adapter answers
// with a closed door.
//
// server/internal/rpc/enforcement calls it.
package enforce
