package trust_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/internal/trust"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// callers knows keys by what they are called.
type callers struct {
	behalfv1.UnimplementedCallerServiceServer
}

func (callers) GetCaller(ctx context.Context, _ *behalfv1.GetCallerRequest) (*behalfv1.GetCallerResponse, error) {
	key := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(key) != 1 {
		return nil, status.Error(codes.Unauthenticated, "")
	}
	service := func(scopes ...string) (*behalfv1.GetCallerResponse, error) {
		return &behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_SERVICE, Scopes: scopes}, nil
	}
	switch key[0] {
	case "Bearer enforce":
		return service("behalf:check", "behalf:enforce")
	case "Bearer admin":
		return service("behalf:admin")
	case "Bearer check":
		return service("behalf:check")
	case "Bearer nothing":
		return service()
	case "Bearer user":
		return &behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_USER, Scopes: []string{"behalf:enforce"}}, nil
	case "Bearer zero":
		return &behalfv1.GetCallerResponse{}, nil
	case "Bearer fault":
		return nil, status.Error(codes.Unavailable, "")
	}
	return nil, status.Error(codes.Unauthenticated, "")
}

func TestBelieves(t *testing.T) {
	channel := &inprocgrpc.Channel{}
	behalfv1.RegisterCallerServiceServer(channel, callers{})
	gateways := trust.New(channel, trust.Config{
		Networks:     []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")},
		Certificates: []string{"envoy.internal", "spiffe://example.org/envoy", ""},
	})
	certificate := func(dns, uri string) *x509.Certificate {
		c := &x509.Certificate{DNSNames: []string{dns}}
		if u, err := url.Parse(uri); err == nil && uri != "" {
			c.URIs = []*url.URL{u}
		}
		return c
	}
	verified := func(dns, uri string) *tls.ConnectionState {
		return &tls.ConnectionState{HandshakeComplete: true, VerifiedChains: [][]*x509.Certificate{{certificate(dns, uri)}}}
	}
	const far = "198.51.100.1:1"
	for name, row := range map[string]struct {
		client trust.Client
		want   bool
		fails  bool
	}{
		"nothing":          {trust.Client{}, false, false},
		"network":          {trust.Client{Address: "192.0.2.1:1"}, true, false},
		"mapped":           {trust.Client{Address: "[::ffff:192.0.2.9]:1"}, true, false},
		"v6":               {trust.Client{Address: "[2001:db8::1]:1"}, true, false},
		"other network":    {trust.Client{Address: "192.0.3.1:1"}, false, false},
		"no port":          {trust.Client{Address: "192.0.2.1"}, false, false},
		"socket":           {trust.Client{Address: "@"}, false, false},
		"nonsense":         {trust.Client{Address: "nonsense:1"}, false, false},
		"DNS name":         {trust.Client{Address: far, TLS: verified("envoy.internal", "")}, true, false},
		"URI":              {trust.Client{Address: far, TLS: verified("x", "spiffe://example.org/envoy")}, true, false},
		"other name":       {trust.Client{Address: far, TLS: verified("x.envoy.internal", "spiffe://example.org/envoy/x")}, false, false},
		"empty name":       {trust.Client{Address: far, TLS: verified("", "")}, false, false},
		"not verified":     {trust.Client{Address: far, TLS: &tls.ConnectionState{HandshakeComplete: true, PeerCertificates: []*x509.Certificate{certificate("envoy.internal", "")}}}, false, false},
		"no certificate":   {trust.Client{Address: far, TLS: &tls.ConnectionState{HandshakeComplete: true}}, false, false},
		"key":              {trust.Client{Address: far, Key: "Bearer enforce"}, true, false},
		"admin's key":      {trust.Client{Address: far, Key: "Bearer admin"}, true, false},
		"key without":      {trust.Client{Address: far, Key: "Bearer check"}, false, false},
		"key for nothing":  {trust.Client{Address: far, Key: "Bearer nothing"}, false, false},
		"unknown key":      {trust.Client{Address: far, Key: "Bearer x"}, false, false},
		"a user's":         {trust.Client{Address: far, Key: "Bearer user"}, false, false},
		"zero caller":      {trust.Client{Address: far, Key: "Bearer zero"}, false, false},
		"dead keys":        {trust.Client{Address: far, Key: "Bearer fault"}, false, true},
		"dead keys nearby": {trust.Client{Address: "192.0.2.1:1", Key: "Bearer fault"}, true, false},
	} {
		got, err := gateways.Believes(t.Context(), row.client)
		if got != row.want || (err != nil) != row.fails {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
	if got, _ := trust.New(channel, trust.Config{}).Believes(t.Context(), trust.Client{Address: "127.0.0.1:1", TLS: verified("", "")}); got {
		t.Error("nobody is named, and somebody is believed")
	}
}

// noting keeps along which addresses calls say that they came.
type noting struct {
	callers

	forwarded []string
}

func (n *noting) GetCaller(ctx context.Context, r *behalfv1.GetCallerRequest) (*behalfv1.GetCallerResponse, error) {
	n.forwarded = metadata.ValueFromIncomingContext(ctx, "x-forwarded-for")
	return n.callers.GetCaller(ctx, r)
}

// TestStrangersAreTold has a key looked up in the name of the address that gives it, whatever the
// request says of others: by it those are counted whose key nobody knows.
func TestStrangersAreTold(t *testing.T) {
	channel, services := &inprocgrpc.Channel{}, &noting{}
	behalfv1.RegisterCallerServiceServer(channel, services)
	gateways := trust.New(channel, trust.Config{})
	ctx := metadata.NewOutgoingContext(t.Context(), metadata.Pairs("x-forwarded-for", "203.0.113.9"))
	for address, want := range map[string]string{"198.51.100.1:1": "198.51.100.1", "[2001:db8::1]:1": "2001:db8::1", "@": ""} {
		if _, err := gateways.Believes(ctx, trust.Client{Address: address, Key: "Bearer x"}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(services.forwarded, "|"); got != want {
			t.Errorf("from %s: %q, want %q", address, got, want)
		}
	}
}
