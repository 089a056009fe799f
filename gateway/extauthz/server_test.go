package extauthz_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/extauthz"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// services answers whatever the test wants.
type services struct {
	behalfv1.UnimplementedEnforcementServiceServer

	answer *behalfv1.AuthorizeResponse
	err    error
	asked  *behalfv1.AuthorizeRequest
	known  []string // the credentials of the call
	along  []string // the addresses that it says it came along

	key, certificate string // by which Envoy is known
}

// callers knows one key.
type callers struct {
	behalfv1.UnimplementedCallerServiceServer
}

func (callers) GetCaller(ctx context.Context, _ *behalfv1.GetCallerRequest) (*behalfv1.GetCallerResponse, error) {
	switch key := metadata.ValueFromIncomingContext(ctx, "authorization"); {
	case len(key) == 1 && key[0] == "Bearer gate":
		return &behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_SERVICE, Scopes: []string{"behalf:enforce"}}, nil
	case len(key) == 1 && key[0] == "Bearer dead":
		return nil, status.Error(codes.Unavailable, "")
	}
	return nil, status.Error(codes.Unauthenticated, "")
}

func (s *services) Authorize(ctx context.Context, req *behalfv1.AuthorizeRequest) (*behalfv1.AuthorizeResponse, error) {
	s.asked, s.known = req, metadata.ValueFromIncomingContext(ctx, "authorization")
	s.along = metadata.ValueFromIncomingContext(ctx, "x-forwarded-for")
	return s.answer, s.err
}

func check(t *testing.T, s *services, from net.Addr, req *authv3.CheckRequest) *authv3.CheckResponse {
	t.Helper()
	channel := &inprocgrpc.Channel{}
	behalfv1.RegisterEnforcementServiceServer(channel, s)
	behalfv1.RegisterCallerServiceServer(channel, callers{})
	server := extauthz.New(extauthz.Config{
		Conn: channel, Identity: "Bearer own", Peers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Certificates: []string{"envoy.internal"},
		LoginOrigin: func() string { return "https://a.example.com" },
	})
	ctx := t.Context()
	if from != nil {
		p := &peer.Peer{Addr: from}
		if s.certificate != "" {
			p.AuthInfo = credentials.TLSInfo{State: tls.ConnectionState{
				HandshakeComplete: true, VerifiedChains: [][]*x509.Certificate{{{DNSNames: []string{s.certificate}}}},
			}}
		}
		ctx = peer.NewContext(ctx, p)
	}
	key := s.key
	if key == "" {
		key = "Bearer other"
	}
	got, err := server.Check(metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", key)), req)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var (
	envoy = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}
	far   = &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1), Port: 1}
)

func told() *authv3.CheckRequest {
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
		Id: "7", Method: "POST", Scheme: "https", Host: "a.example.com", Path: "/a?b=c",
		Headers: map[string]string{":path": "/other", "authorization": "Bearer client"},
	}}}}
}

// TestClosed keeps the request out whatever else than a permission comes.
func TestClosed(t *testing.T) {
	allowed := &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}
	for name, row := range map[string]struct {
		services services
		from     net.Addr
		request  *authv3.CheckRequest
		want     int
	}{
		"zero answer":          {services{answer: &behalfv1.AuthorizeResponse{}}, envoy, told(), 403},
		"unknown":              {services{answer: &behalfv1.AuthorizeResponse{Verdict: 99}}, envoy, told(), 403},
		"denied":               {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_DENIED}}, envoy, told(), 403},
		"malformed":            {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_MALFORMED}}, envoy, told(), 400},
		"anonymous":            {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_UNAUTHENTICATED}}, envoy, told(), 401},
		"level":                {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_STEP_UP}}, envoy, told(), 401},
		"fault":                {services{err: errors.New("disk")}, envoy, told(), 503},
		"permission and fault": {services{answer: allowed, err: status.Error(codes.Internal, "")}, envoy, told(), 503},
		"no peer":              {services{answer: allowed}, nil, told(), 403},
		"other peer":           {services{answer: allowed}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, told(), 403},
		"socket":               {services{answer: allowed}, &net.UnixAddr{Name: "@"}, told(), 403},
		"dead keys":            {services{answer: allowed, key: "Bearer dead"}, far, told(), 503},
		"other certificate":    {services{answer: allowed, certificate: "other.internal"}, far, told(), 403},
		"no request":           {services{answer: allowed}, envoy, &authv3.CheckRequest{}, 400},
	} {
		got := check(t, &row.services, row.from, row.request)
		if got.GetStatus().GetCode() == 0 || got.GetOkResponse() != nil || int(got.GetDeniedResponse().GetStatus().GetCode()) != row.want {
			t.Errorf("%s: %v, want %d", name, got, row.want)
		}
	}
}

// TestAllowed says what reaches the service, and what becomes of headers.
func TestAllowed(t *testing.T) {
	s := &services{answer: &behalfv1.AuthorizeResponse{
		Verdict:  behalfv1.Verdict_VERDICT_ALLOWED,
		Identity: []*behalfv1.IdentityHeader{{Name: "Behalf-User", Value: "7"}, {Name: "Behalf-Level"}}, Remove: []string{"behalf_user"},
	}}
	got := check(t, s, envoy, told())
	ok := got.GetOkResponse()
	if got.GetStatus().GetCode() != 0 || len(ok.GetHeaders()) != 1 || !slices.Equal(ok.GetHeadersToRemove(), []string{"behalf_user", "Behalf-Level"}) {
		t.Fatal(got)
	}
	if h := ok.GetHeaders()[0]; h.GetHeader().GetKey() != "Behalf-User" || h.GetHeader().GetValue() != "7" ||
		h.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
		t.Error(h)
	}
	a := s.asked
	if a.GetMethod() != "POST" || a.GetScheme() != "https" || string(a.GetHost()) != "a.example.com" || string(a.GetPath()) != "/a?b=c" ||
		!a.GetRemoves() || len(a.GetHeaders()) != 1 || len(s.known) != 1 || s.known[0] != "Bearer own" {
		t.Errorf("asked %v as %q", a, s.known)
	}
	raw := told()
	raw.Attributes.Request.Http.HeaderMap = &corev3.HeaderMap{Headers: []*corev3.HeaderValue{
		{Key: ":path", RawValue: []byte("/")}, {Key: "x", RawValue: []byte("1")}, {Key: "x", RawValue: []byte{0xff}}, {Key: "y", Value: "2"},
	}}
	check(t, s, envoy, raw)
	if h := s.asked.GetHeaders(); len(h) != 3 || string(h[1].GetValue()) != "\xff" || string(h[2].GetValue()) != "2" {
		t.Errorf("raw headers: %v", h)
	}
}

// TestKnown has an Envoy of no trusted network known by its key or its certificate.
func TestKnown(t *testing.T) {
	for _, s := range []*services{{key: "Bearer gate"}, {certificate: "envoy.internal"}} {
		s.answer = &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}
		if got := check(t, s, far, told()); got.GetOkResponse() == nil || s.known[0] != "Bearer own" {
			t.Errorf("%q %q: %v as %q", s.key, s.certificate, got, s.known)
		}
	}
}

// TestWhoIsCounted says whose call it is: of the client that an Envoy tells of, else of that Envoy,
// and never of a client that only says so itself.
func TestWhoIsCounted(t *testing.T) {
	s := &services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}}
	req := told()
	req.Attributes.Request.Http.Headers["x-forwarded-for"] = "203.0.113.9"
	for _, client := range []string{"198.51.100.7", ""} {
		req.Attributes.Source = &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{
			SocketAddress: &corev3.SocketAddress{Address: client},
		}}}
		check(t, s, envoy, req)
		if got := s.asked.GetClient(); got != client || !slices.Equal(s.along, []string{"192.0.2.1"}) {
			t.Errorf("of %q: %q, along %q", client, got, s.along)
		}
	}
}

// TestBrowsers sends browsers to the login, and nobody when there is a fault.
func TestBrowsers(t *testing.T) {
	req := told()
	http := req.Attributes.Request.Http
	http.Method, http.Headers = "GET", map[string]string{"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
	for verdict, want := range map[behalfv1.Verdict]string{
		behalfv1.Verdict_VERDICT_UNAUTHENTICATED: "https://a.example.com/login?return=%2Fa%3Fb%3Dc",
		behalfv1.Verdict_VERDICT_STEP_UP:         "https://a.example.com/login?acr_values=urn%3Aaltinn%3Aauthlevel%3A3&return=%2Fa%3Fb%3Dc",
		behalfv1.Verdict_VERDICT_DENIED:          "",
	} {
		got := check(t, &services{answer: &behalfv1.AuthorizeResponse{Verdict: verdict, RequiredLevel: 3}}, envoy, req)
		location := ""
		for _, h := range got.GetDeniedResponse().GetHeaders() {
			if h.GetHeader().GetKey() == "location" {
				location = h.GetHeader().GetValue()
			}
		}
		if location != want || got.GetStatus().GetCode() == 0 || (got.GetDeniedResponse().GetStatus().GetCode() == 302) != (want != "") {
			t.Errorf("%s: %v", verdict, got)
		}
	}
	got := check(t, &services{err: errors.New("the provider does not answer")}, envoy, req)
	if got.GetDeniedResponse().GetStatus().GetCode() != 503 || len(got.GetDeniedResponse().GetHeaders()) != 1 {
		t.Errorf("a fault: %v", got)
	}
}
