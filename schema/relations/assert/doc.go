// Package assert judges a relations schema by SpiceDB validation files: relationships,
// and assertions about what follows from them.
//
// It owns the reading of those files and the report of what failed. It keeps nothing: every
// file is judged in a store of its own that is dropped afterwards. The tests of
// schema/relations and the command schema validate call it; it is the one package of
// schema that imports SpiceDB, so that the server need not.
package assert
