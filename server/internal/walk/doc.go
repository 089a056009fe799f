// Package walk answers checks and lists by walking the relation graph.
//
// It owns the compilation of permissions to plans over the graph's numbers and the walks of
// these plans: a union of any number of relations is one pass over an object's tuples, an
// arrow or a userset a step to another object. It refuses to guess: where a walk is not
// sure to answer what SpiceDB would (a caveat, SpiceDB's limit of depth, a name that is not in
// the schema), it says so, and its caller asks SpiceDB. It knows neither SpiceDB
// nor storage: schemas come as Definitions, states as snapshots of server/internal/graph,
// and the instant that expiries are judged at from the caller.
//
// server/internal/engine compiles the live schema, chooses the snapshot and asks.
//
// # Exactness
//
// A walk's answer is SpiceDB's answer. SpiceDB evaluates the terms of a union at once and
// gives up when any of them is too deep before another holds; a walk that finds a term that
// holds answers, and one that may be too deep before that does not.
//
// What is reached from itself, by relationships or by the names of a schema alone, is open:
// SpiceDB goes round until it is too deep, or for ever. A walk answers where the open part does
// not matter, since one term of a union holds or one of an intersection does not, whatever the
// order in which it comes by them; SpiceDB then says the same or gives up. Where it does matter
// the walk says Cyclic, and there is no answer: SpiceDB can only give up. It should not be
// asked, as two such questions may wait for one another for ever; Loops tells beforehand.
package walk
