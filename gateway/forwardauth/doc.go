// Package forwardauth answers API gateways that ask over HTTP whether a request may pass:
// nginx's auth_request at /authz/nginx, and the forward auth of Traefik, Caddy and APISIX at
// /authz/forward.
//
// It owns where each gateway tells of the request, and in which status and headers it wants
// the answer. It refuses to judge, which EnforcementService does, and to believe: who is in
// no network of trusted peers is kept out, whatever he tells, and so is a request of which a
// part is missing or there twice. Only one kind of answer lets a request pass, and there is
// one place that gives it. Package gateway calls it.
package forwardauth
