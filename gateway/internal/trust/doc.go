// Package trust says which clients are API gateways that are believed when they tell of
// others' requests: by the network that they are in, by their certificate, or by an API key
// of their own with the scope behalf:enforce.
//
// It owns that one question, so that every door of API gateways asks it in the same way. It
// refuses to verify certificates, which the TLS layer has done, and keys, which the services
// do. Packages forwardauth and extauthz call it, and package login, which believes a gateway about
// the address of its client.
package trust
