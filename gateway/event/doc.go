// Package event is the record of one HTTP request: one log event and one observation of
// the metrics, written once, when the answer has gone.
//
// It owns the request id, the recorder that wraps every door, and the closed label sets of
// the metrics: route patterns, never paths; methods of a short list, never what a client
// sends. It refuses the answer itself; doors and gateway/problem fill in the route and the reason.
// Package gateway installs it.
package event
