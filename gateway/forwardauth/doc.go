// Package forwardauth answers API gateways that ask over HTTP whether a request may pass:
//
//	/authz/nginx      nginx's auth_request
//	/authz/forward    the forward auth of Traefik, Caddy and APISIX
//	/authz/envoy/…    ext_authz over HTTP of Envoy and what is built on it, the path behind its prefix
//	/auth, /auth/…    the gateways of Mia-Platform, as its authorization service answers them
//
// It owns where each gateway tells of the request, and in which status and headers it wants
// the answer. It refuses to judge, which EnforcementService does, and to believe: who is no
// gateway that is trusted is kept out, whatever he tells, and so is a request of which a
// part is missing or there twice. Only one kind of answer lets a request pass, and there is
// one place that looks for it. Package gateway calls it.
package forwardauth
