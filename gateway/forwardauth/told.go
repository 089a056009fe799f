package forwardauth

import (
	"net/http"
	"strings"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// toldBy are the headers in which gateways tell of a request. They are not the client's.
var toldBy = map[string]bool{
	"X-Forwarded-Method": true, "X-Forwarded-Proto": true, "X-Forwarded-Host": true, "X-Forwarded-Uri": true,
	"X-Forwarded-For": true, "X-Forwarded-Port": true, "X-Forwarded-Server": true, "X-Forwarded-Prefix": true,
	"X-Original-Method": true, "X-Original-Uri": true, "X-Original-Url": true, "X-Real-Ip": true,
	miaURI: true, miaMethod: true, miaToken: true, miaClientType: true, miaBackoffice: true,
	KeyHeader: true,
}

// toldByForward returns the request that Traefik, Caddy or APISIX tells of. They replace what
// the client sent under these names, so that a second value is none of theirs.
func toldByForward(r *http.Request) (*behalfv1.AuthorizeRequest, bool) {
	return told(r, "X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")
}

// toldByNginx returns the request that nginx tells of: its method, and either its URL or its
// path, host and scheme. nginx passes on all of the client's headers that its configuration
// does not set, so each must be there once, and never both forms: the one that is not set
// would be the client's.
func toldByNginx(r *http.Request) (*behalfv1.AuthorizeRequest, bool) {
	if len(r.Header.Values("X-Original-Url")) == 0 {
		return told(r, "X-Original-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Original-Uri")
	}
	method, ok := single(r, "X-Original-Method")
	url, too := single(r, "X-Original-Url")
	scheme, rest, absolute := strings.Cut(url, "://")
	at := strings.IndexAny(rest, "/?")
	if !ok || !too || !absolute || at <= 0 || rest[at] != '/' || len(r.Header.Values("X-Original-Uri")) > 0 {
		return nil, false
	}
	return question(r, method, scheme, rest[:at], rest[at:]), true
}

func told(r *http.Request, method, scheme, host, path string) (*behalfv1.AuthorizeRequest, bool) {
	var values [4]string
	for i, name := range []string{method, scheme, host, path} {
		v, ok := single(r, name)
		if !ok {
			return nil, false
		}
		values[i] = v
	}
	return question(r, values[0], values[1], values[2], values[3]), true
}

// toldByEnvoy returns the request that Envoy tells of: it sends its method and host, and its
// path to the letter behind our prefix. The scheme it tells where it is configured to.
func toldByEnvoy(r *http.Request) (*behalfv1.AuthorizeRequest, bool) {
	target, behind := strings.CutPrefix(r.RequestURI, PathEnvoy)
	scheme, clear := atMost(r, "X-Forwarded-Proto", "https")
	if !behind || !strings.HasPrefix(target, "/") || !clear {
		return nil, false
	}
	req := question(r, r.Method, scheme, r.Host, target)
	req.Removes = true
	return req, true
}

// single returns the value of a header that must be there once.
func single(r *http.Request, name string) (string, bool) {
	values := r.Header.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

func question(r *http.Request, method, scheme, host, path string) *behalfv1.AuthorizeRequest {
	req := &behalfv1.AuthorizeRequest{
		Method: text(method), Scheme: text(scheme), Host: []byte(host), Path: []byte(path), Client: text(client(r)),
	}
	for name, values := range r.Header {
		if toldBy[name] {
			continue
		}
		for _, v := range values {
			req.Headers = append(req.Headers, &behalfv1.RequestHeader{Name: text(name), Value: []byte(v)})
		}
	}
	return req
}

// text returns a text as a message takes it. What is not UTF-8 becomes what no rule takes.
func text(s string) string { return strings.ToValidUTF8(s, "\x00") }

// client returns the address that the gateway says the client has: the last in the chain, as
// those before it may be the client's own words.
func client(r *http.Request) string {
	chain := r.Header.Values("X-Forwarded-For")
	if len(chain) == 0 {
		return ""
	}
	last := chain[len(chain)-1]
	last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	if len(last) > 64 {
		return ""
	}
	return last
}
