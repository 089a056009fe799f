package deploy_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
)

// TestCookies sends cookies through each gateway: the service gets all but the session.
func TestCookies(t *testing.T) {
	w := startWorld(t, "", "")
	for _, g := range gateways {
		t.Run(g.name, func(t *testing.T) {
			s, service := newSetup(t), startUpstream(t)
			s.behalf, s.service = w.http, service.address
			gateway := g.start(t, s, nil)
			door := through(g.name, gateway, service)
			for _, row := range []struct{ cookies, want string }{ // lines by |
				{"", ""},
				{"a=b", "a=b"},
				{"a=b; c=d", "a=b; c=d"},
				{"__Host-sid=x", ""},
				{" __Host-sid=x ;", ""},
				{"__Host-sid=", ""},
				{"__Host-sid=x; a=b", "a=b"},
				{"__Host-sid=x;a=b; c=d", "a=b; c=d"},
				{"a=b; __Host-sid=x", "a=b"},
				{"a=b; __Host-sid=x; c=d", "a=b; c=d"},
				{"a=b;__Host-sid =x;c=d", "a=b;c=d"},
				{`a="b"; __Host-sid="x"; c=`, `a="b"; c=`},
				{"a=__Host-sid=x; c=d", "a=__Host-sid=x; c=d"},
				{"a__Host-sid=x; __Host-sid2=y; sid=z; __host-sid=w", "a__Host-sid=x; __Host-sid2=y; sid=z; __host-sid=w"},
				{"a=b|__Host-sid=x", "a=b"},
				{"__Host-sid=x|a=b", "a=b"},
				{"a=b|c=d; __Host-sid=x; e=f", "a=b; c=d; e=f"},
			} {
				r := told{method: "GET", target: "/open/a"}
				if row.cookies != "" {
					for line := range strings.SplitSeq(row.cookies, "|") {
						r.headers = append(r.headers, "Cookie: "+line)
					}
				}
				status, got := door.send(t, r)
				if got == nil {
					t.Errorf("%q: kept out with %d", row.cookies, status)
					continue
				}
				if cookies := joined(got.values("Cookie")); cookies != row.want {
					t.Errorf("%q: the service gets %q, want %q", row.cookies, cookies, row.want)
				}
			}
			// Over HTTP/2 each cookie is a field of its own.
			client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: gateway.trust}}}
			defer client.CloseIdleConnections()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gateway.url()+"/open/a", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Cookie", "a=b; __Host-sid=x; c=d")
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if got := service.take(); got == nil || joined(got.values("Cookie")) != "a=b; c=d" || answer.ProtoMajor != 2 {
				t.Errorf("over %s: the service gets %v", answer.Proto, got)
			}
			// No browser has two. Of cookies beside them only those may go on.
			for _, cookies := range []string{
				"__Host-sid=x; __Host-sid=y", "a=b; __Host-sid=x; __Host-sid=y; c=d", "__Host-sid=x; a=b; __Host-sid=y", "__Host-sid=x;__Host-sid=y;__Host-sid=z",
			} {
				_, got := door.send(t, told{method: "GET", target: "/open/a", headers: []string{"Cookie: " + cookies}})
				if got != nil && strings.Contains(joined(got.values("Cookie")), "sid") {
					t.Errorf("%q: the service gets %q", cookies, got.values("Cookie"))
				}
			}
		})
	}
}

// joined returns lines of cookies as one, without the ends that mean nothing.
func joined(lines []string) string {
	var all []string
	for _, line := range lines {
		if line = strings.Trim(line, " ;"); line != "" {
			all = append(all, line)
		}
	}
	return strings.Join(all, "; ")
}
