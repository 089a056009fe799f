// Command generate makes everything under schema/gen and schema/openapi from the contracts in
// schema/proto. Run it as `go generate ./schema`.
//
// It owns the versions of the tools, the order in which they run, and what becomes of the
// OpenAPI document that they make. It refuses to know what the contracts say. It leaves a
// checksum of what it was run on, by which a test tells generated code that is out of date.
package main
