// Package extauthz answers Envoy, and what is built on it, by ext_authz v3 over gRPC.
//
// It owns where Envoy tells of a request and how it wants the answer: which headers of the
// client are replaced, and which removed. It refuses to judge, which EnforcementService does,
// and to believe: whoever is no gateway that is trusted, by his network, certificate or
// API key, is told to keep the request out. Only one place builds an answer that lets a request
// pass. The composition root registers it on the gRPC port.
package extauthz
