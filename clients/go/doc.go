// Package behalf is the Go client of Behalf: whom may a user act for, in which roles, may they
// do this to that, and why not.
//
// Dial makes a Client. It has a deadline for every call, repeats reads that found the server
// away, keeps its connections alive and puts calls to all nodes of a name in turn. A program
// needs one for its whole life:
//
//	client, err := behalf.Dial("behalf.example.org:7400", behalf.WithToken(os.Getenv("BEHALF_TOKEN")))
//
// Client.Session gives a client that reads its own writes: it carries the revision of its last
// answer to the next call. Client.As gives one that calls with somebody else's credentials.
// Both share the connections.
//
// A denial is an answer and never an error. Every error of a call is an *Error with the reason
// that the server gave; on an error the answer is the zero value, which lets nobody in.
//
// Decisions that open doors belong into package pep, the middleware for net/http and gRPC,
// which also meets their obligations.
//
// Package watch follows changes of relationships. It is apart because it takes in SpiceDB's contract,
// whose other services Client.Conn reaches too.
//
// The package owns how a program in Go reaches Behalf. It refuses to know the server: it imports
// the published contract and nothing of what implements it. Answers are the contract's
// messages under shorter names. What the package exports stays compatible within a major
// version.
package behalf
