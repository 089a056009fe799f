// Package hostile is an OpenID provider for tests that keeps no standard it is not told to.
//
// It owns the endpoints of a provider, the key it signs with, and the memory of what it was
// asked. It refuses to behave: a test exchanges whatever it says of itself, answers, or
// signs. Tests of the server use it where package oidc's real provider is too well-behaved.
package hostile
