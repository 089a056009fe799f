// Package walk answers checks and lists by walking the relation graph.
//
// It owns the compilation of permissions to plans over the graph's numbers and the walks of
// these plans: a union of any number of relations is one pass over an object's tuples, an
// arrow or a userset a step to another object. It refuses to guess: where a walk is not
// sure to answer what SpiceDB would (a caveat, a cycle, SpiceDB's limit of depth, a name that
// is not in the schema), it says so, and its caller asks SpiceDB. It knows neither SpiceDB
// nor storage: schemas come as Definitions, states as snapshots of server/internal/graph,
// and the instant that expiries are judged at from the caller.
//
// server/internal/engine compiles the live schema, chooses the snapshot and asks.
//
// # Exactness
//
// A walk's answer is SpiceDB's answer. SpiceDB evaluates the terms of a union at once and
// gives up when any of them is too deep before another holds; a walk that finds a term that
// holds answers, and one that meets a cycle or may be too deep before that does not.
package walk
