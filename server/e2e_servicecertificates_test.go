package server_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

const servicesByCertificate = `certificates:
  - {name: portal.internal, service: portal, scopes: [behalf:check, behalf:parties.read]}
  - {name: "spiffe://example.org/jobs", scopes: [behalf:check]}
`

// TestServicesByTheirCertificates knows services by the names in their certificates, over both
// ports, where a call carries nothing else, and nobody by what he says of himself.
func TestServicesByTheirCertificates(t *testing.T) {
	a := newAuthority(t)
	for name, uri := range map[string]string{"server": "", "portal.internal": "", "jobs": "spiffe://example.org/jobs", "other": ""} {
		a.issueWith(t, name, uri)
	}
	a.issueWith(t, "both", "spiffe://example.org/jobs", "portal.internal")
	cfg := server.Config{
		DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		TLS:   server.TLSConfig{CertFile: a.dir + "/server.pem", KeyFile: a.dir + "/server.key", ClientCAFile: a.dir + "/authority.pem"},
		Login: server.LoginConfig{IssuersFile: file(t, "issuers.yaml", servicesByCertificate)},
	}
	s, _ := running(t, cfg)
	for name, want := range map[string]string{"portal.internal": "portal", "jobs": "spiffe://example.org/jobs", "other": "", "both": "", "server": ""} {
		conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(a.client(name))))
		if err != nil {
			t.Fatal(err)
		}
		callers := behalfv1.NewCallerServiceClient(conn)
		for _, md := range []metadata.MD{nil, {"x-behalf-client-certificate": {"portal.internal"}}, {"authorization": {"Bearer nonsense"}}} {
			who, err := callers.GetCaller(metadata.NewOutgoingContext(t.Context(), md), &behalfv1.GetCallerRequest{})
			expected := want
			if md["authorization"] != nil {
				expected = "" // which counts alone
			}
			if who.GetName() != expected || (expected == "") != (status.Code(err) == codes.Unauthenticated) {
				t.Errorf("%s with %v: %v, %v", name, md, who, err)
			}
		}
		_ = conn.Close()
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.client(name)}}
		for _, header := range []string{"", "X-Behalf-Client-Certificate", "Grpc-Metadata-X-Behalf-Client-Certificate", "Authorization", "PlatformAccessToken"} {
			want := want
			switch header {
			case "Authorization", "PlatformAccessToken":
				want = "" // which count alone, though what is in them cannot be passed on
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.HTTPAddr()+"/v1/caller", nil)
			if err != nil {
				t.Fatal(err)
			}
			if header != "" {
				req.Header[header] = []string{"portal.internal", "b\xe9"}
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || (resp.StatusCode == 200) != (want != "") || want != "" && !strings.Contains(string(text), `"`+want+`"`) {
				t.Errorf("%s with %q: %d %s", name, header, resp.StatusCode, text)
			}
		}
		client.CloseIdleConnections()
	}
	cfg.DataDir, cfg.Enforcement.TrustedCertificates = t.TempDir(), []string{"portal.internal"}
	if _, err := server.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "portal.internal is a gateway") {
		t.Errorf("a gateway that is a service: %v", err)
	}
}

// issueWith is issue for a certificate that may have a URI and more DNS names.
func (a *authority) issueWith(t *testing.T, name, uri string, more ...string) {
	t.Helper()
	var u *url.URL
	if uri != "" {
		var err error
		if u, err = url.Parse(uri); err != nil {
			t.Fatal(err)
		}
	}
	a.issue(name, u, more...)
}
