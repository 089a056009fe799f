// Package gateway is the HTTP side of Behalf: it translates foreign protocols to the gRPC
// contract and back.
//
// It owns the routes of the HTTP port, what of an HTTP request crosses into a gRPC call
// (see metadata.go), and HTTP's share of operating: health, metrics, keys, the OpenAPI
// document, one event per request. It refuses the domain: it knows no party, decides
// nothing, never imports package server, and reaches the services through one client connection,
// so that their interceptors always run. The composition root in server calls New.
//
// The doors are packages of their own: rest is the native API under /v1, altinn is Altinn's
// paths under /authorization/api/v1, authzen is OpenID AuthZEN under /access/v1.
package gateway
