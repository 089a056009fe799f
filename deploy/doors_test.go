package deploy_test

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// told is a request of a client.
type told struct {
	method, target string
	headers        []string // lines "Name: value"
	body           string
}

// door is a way in: a gateway, or an adapter and what a gateway makes of its answer.
type door struct {
	name string
	// send returns the status that the client gets, and what the service sees, if it does.
	send func(t *testing.T, r told) (int, *seen)
}

// A model of a gateway forwards all that the client sent, but for what it puts there itself.

// forwards returns what the service sees of it.
func forwards(r told, host string, set http.Header, remove []string) *seen {
	s := &seen{Method: r.method, Target: r.target, Host: host, Headers: http.Header{}}
	var listed []string
	for _, line := range r.headers {
		name, value, _ := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "connection" {
			for each := range strings.SplitSeq(value, ",") {
				listed = append(listed, strings.ToLower(strings.TrimSpace(each)))
			}
		}
		if name != "host" && name != "connection" && !slices.Contains(ownOfGateways, name) && !slices.Contains(remove, name) {
			s.Headers[name] = append(s.Headers[name], strings.TrimSpace(value))
		}
	}
	for name, values := range set {
		s.Headers[strings.ToLower(name)] = values
	}
	for _, name := range listed { // last, as a proxy does that knows nothing of identity headers
		delete(s.Headers, name)
	}
	return s
}

// ownOfGateways are headers that the examples set or remove.
var ownOfGateways = []string{
	"x-forwarded-method", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri", "x-forwarded-for", "x-forwarded-prefix",
	"x-original-method", "x-original-uri", "x-original-url", "x-rewrite-url", "x-http-method", "x-http-method-override", "x-method-override",
	"original-request-uri", "original-request-method", "client-type", "isbackoffice",
}

// asked is how a gateway asks about a request.
type asked struct {
	method, target, host string
	lines                []string // what it tells in headers
}

// overHTTP is an adapter that is asked over HTTP.
func overHTTP(w *world, name string, ask func(r told, host string) asked) door {
	dial := func() (net.Conn, error) { return net.Dial("tcp", w.http) }
	return door{name, func(t *testing.T, r told) (int, *seen) {
		hosts, rest := hostsOf(r)
		q := ask(r, hosts[0])
		for _, more := range hosts[1:] {
			q.lines = append(q.lines, "X-Forwarded-Host: "+more)
		}
		for _, line := range rest {
			name, _, _ := strings.Cut(line, ":")
			if !slices.Contains(ownOfGateways, strings.ToLower(name)) && !framing(name) {
				q.lines = append(q.lines, line)
			}
		}
		a, err := exchange(dial, q.method, request(q.method, q.target, q.host, q.lines...))
		if err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusOK {
			return a.status, nil
		}
		set := http.Header{}
		for _, name := range identityHeaders {
			if values, ok := a.header[name]; ok {
				set[name] = values
			}
		}
		remove := strings.Split(strings.ToLower(a.header.Get("X-Envoy-Auth-Headers-To-Remove")), ",")
		return a.status, forwards(told{r.method, r.target, rest, r.body}, hosts[0], set, remove)
	}}
}

// framing says whether a header is about the body, which adapters are not sent.
func framing(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding")
}

// hostsOf takes a request's hosts from its other headers.
func hostsOf(r told) (hosts, rest []string) {
	for _, line := range r.headers {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "host") {
			hosts = append(hosts, strings.TrimSpace(value))
			continue
		}
		rest = append(rest, line)
	}
	if len(hosts) == 0 {
		hosts = []string{"app.example.com"}
	}
	return hosts, rest
}

// adapters are all that Behalf serves to gateways.
func adapters(t *testing.T, w *world) []door {
	t.Helper()
	conn := dialGRPC(t, w.grpc)
	return []door{
		overHTTP(w, "nginx", func(r told, host string) asked {
			return asked{"GET", "/authz/nginx", "behalf", []string{"X-Original-Method: " + r.method, "X-Original-URI: " + r.target, "X-Forwarded-Host: " + host, "X-Forwarded-Proto: https"}}
		}),
		overHTTP(w, "nginx, URL", func(r told, host string) asked {
			return asked{"GET", "/authz/nginx", "behalf", []string{"X-Original-Method: " + r.method, "X-Original-URL: https://" + host + r.target}}
		}),
		overHTTP(w, "forward", func(r told, host string) asked {
			return asked{"GET", "/authz/forward?url=/open/", "behalf", []string{"X-Forwarded-Method: " + r.method, "X-Forwarded-Uri: " + r.target, "X-Forwarded-Host: " + host, "X-Forwarded-Proto: https"}}
		}),
		overHTTP(w, "Mia", func(r told, host string) asked {
			return asked{"GET", "/auth", "behalf", []string{"Original-Request-Method: " + r.method, "Original-Request-Uri: " + r.target, "X-Forwarded-Host: " + host, "X-Forwarded-Proto: https"}}
		}),
		overHTTP(w, "Envoy, HTTP", func(r told, host string) asked {
			return asked{r.method, "/authz/envoy" + r.target, host, []string{"X-Forwarded-Proto: https"}}
		}),
		overEnvoy(conn, "Envoy", false),
		overEnvoy(conn, "Envoy, raw", true),
	}
}

func dialGRPC(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// overEnvoy is ext_authz, with headers of one name as one, or each line raw.
func overEnvoy(conn *grpc.ClientConn, name string, raw bool) door {
	client := authv3.NewAuthorizationClient(conn)
	return door{name, func(t *testing.T, r told) (int, *seen) {
		hosts, rest := hostsOf(r)
		if len(hosts) > 1 {
			return http.StatusBadRequest, nil // as Envoy answers by itself
		}
		about := &authv3.AttributeContext_HttpRequest{Method: r.method, Scheme: "https", Host: hosts[0], Path: strings.ToValidUTF8(r.target, "\uFFFD")}
		if raw {
			about.HeaderMap = &corev3.HeaderMap{}
			for _, line := range rest {
				name, value, _ := strings.Cut(line, ":")
				about.HeaderMap.Headers = append(about.HeaderMap.Headers,
					&corev3.HeaderValue{Key: strings.ToLower(name), RawValue: []byte(strings.TrimSpace(value))})
			}
		} else {
			about.Headers = map[string]string{}
			for _, line := range rest {
				name, value, _ := strings.Cut(line, ":")
				name, value = strings.ToLower(name), strings.ToValidUTF8(strings.TrimSpace(value), "\uFFFD")
				if before, ok := about.Headers[name]; ok {
					value = before + "," + value
				}
				about.Headers[name] = value
			}
		}
		got, err := client.Check(t.Context(), &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
			Request: &authv3.AttributeContext_Request{Http: about},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got.GetStatus().GetCode() != 0 {
			return int(got.GetDeniedResponse().GetStatus().GetCode()), nil
		}
		set := http.Header{}
		for _, h := range got.GetOkResponse().GetHeaders() {
			if h.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
				t.Errorf("%s is not set in the place of the client's", h.GetHeader().GetKey())
			}
			set.Set(h.GetHeader().GetKey(), h.GetHeader().GetValue())
		}
		var remove []string
		for _, name := range got.GetOkResponse().GetHeadersToRemove() {
			remove = append(remove, strings.ToLower(name))
		}
		return http.StatusOK, forwards(told{r.method, r.target, rest, r.body}, hosts[0], set, remove)
	}}
}

// through is a gateway with a service behind it.
func through(name string, g *gateway, service *upstream) door {
	return door{name, func(t *testing.T, r told) (int, *seen) {
		service.take()
		a, err := exchange(g.dial, r.method, g.line(r.method, r.target, r.headers...)+r.body)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", name, err))
		}
		s := service.take()
		if s == nil && a.status < 300 && a.body != "" {
			t.Errorf("%s answers %s %s by itself: %d %s", name, r.method, r.target, a.status, a.body)
		}
		return a.status, s
	}}
}
