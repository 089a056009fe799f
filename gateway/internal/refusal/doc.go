// Package refusal says how a request that an API gateway asks about is kept out: with which
// status, with which challenge, and whether a browser is sent to the login instead.
//
// It owns what a verdict becomes in terms of HTTP, so that all doors of API gateways keep out
// in the same way. It refuses to write answers, which each door does in its gateway's way, and
// to let anybody in: there is no refusal of a permission, and who asks for one gets a denial.
// Packages forwardauth and extauthz call it.
package refusal
