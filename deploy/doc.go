// Package deploy holds examples of how Behalf is put to work: API gateways before it, as
// README.md says.
//
// Its files are for operators. It has no code of its own besides the tests that run each
// example as it is, with other addresses.
package deploy
