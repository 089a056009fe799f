// Package jsonform reads requests and writes responses of XACML 3.0 in JSON, as the JSON
// Profile 1.1 says.
//
// It owns the two documents and nothing else. Names are read in any case, since clients
// write them in camel case too; how they are written is a matter of Style, so that a door
// can spell them as its clients expect.
package jsonform
