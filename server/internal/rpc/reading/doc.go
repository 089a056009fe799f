// Package reading turns what a request says about the state that it wants to read into a
// relation.At.
//
// It owns the rule that at most one of the three ways is used, and the one about who may ask
// for states that memory no longer has: administrators. It refuses to look for the state:
// server/internal/engine does that. The services of behalf.v1 call it.
package reading
