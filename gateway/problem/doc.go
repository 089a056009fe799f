// Package problem turns a fault into the one shape that REST callers see: a problem
// document of RFC 9457.
//
// It owns the mapping from gRPC code to HTTP status, complete and without a default, and
// the rule of what a caller may read: the text of a status that the server wrote for him,
// and a fixed sentence for everything else that went wrong on our side. It refuses
// doors with an error contract of their own; gateway/altinn answers as Altinn does and takes
// only the status mapping and the challenge from here. Package gateway and gateway/rest call it.
package problem
