// Package testserver runs a Behalf server with a small register, for the tests of the clients.
//
// What those tests find there is package corpus': two persons, three parties, one app with a policy. It
// refuses to stand in for a server: what it runs is the real one, on free ports, over a data
// directory of its own. Only tests import it, so that nothing of the server comes into a
// program that uses a client.
package testserver
