// Package relations is the relations schema: Behalf's own definitions in SpiceDB's schema
// language, compiled from the role catalogue.
//
// It owns the text behalf.zed and the compiler that makes it from schema/roles, and proves
// what the schema means by the validation files in validation/. It refuses to evaluate or
// store anything and imports nothing of SpiceDB. The server writes Schema into its engine;
// the command line compiles it anew and compares.
package relations
