// Package login serves the paths on which browsers log in and out, over SessionService.
//
// It owns the cookies, the pages and their headers, and the check that a logout or a
// choice comes from a page of this origin. It refuses to know identity providers or sessions: what a browser brings is
// handed on as it is, with the gateway's own identity. A proxy that is trusted is believed about the
// address of its client, by which calls are counted. The gateway routes to it.
//
//	GET  /login?return=PATH           the providers to choose from, or straight on to the only one
//	GET  /login/{provider}            begins a login; acr_values asks for a level
//	GET  /callback/{provider}         where the provider sends the browser back to
//	GET  /logout                      asks whether to log out
//	POST /logout                      ends the session, here and at the provider
//	POST /logout/backchannel/{provider}  ends the sessions that the provider has ended
//	GET  /signed-out                  says that it is done
//	GET  /session/party?return=PATH   whom to act for, to choose from
//	POST /session/party               keeps the choice
//	GET  /session/parties             the same list, for pages of others on this host
//	GET  /userinfo                    who it is, as Mia-Platform's authentication managers answer
package login
