package login_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway"
	"github.com/behalf-authz/behalf/gateway/login"
	"github.com/behalf-authz/behalf/schema"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// sessions keep along which addresses a call says that it came.
type sessions struct {
	behalfv1.UnimplementedSessionServiceServer
	behalfv1.UnimplementedCallerServiceServer

	along []string
}

func (s *sessions) note(ctx context.Context) {
	s.along = metadata.ValueFromIncomingContext(ctx, "x-forwarded-for")
}

func (s *sessions) ListLoginProviders(ctx context.Context, _ *behalfv1.ListLoginProvidersRequest) (*behalfv1.ListLoginProvidersResponse, error) {
	s.note(ctx)
	return &behalfv1.ListLoginProvidersResponse{}, nil
}

func (s *sessions) GetSession(ctx context.Context, _ *behalfv1.GetSessionRequest) (*behalfv1.GetSessionResponse, error) {
	s.note(ctx)
	return &behalfv1.GetSessionResponse{Caller: &behalfv1.GetCallerResponse{}}, nil
}

// TestBehindProxy has a browser's calls come from the address that a trusted proxy tells of, and from
// that of the connection where nobody who is believed tells of one.
func TestBehindProxy(t *testing.T) {
	services, channel := &sessions{}, &inprocgrpc.Channel{}
	behalfv1.RegisterSessionServiceServer(channel, services)
	behalfv1.RegisterCallerServiceServer(channel, services)
	registry := prometheus.NewRegistry()
	door, err := gateway.New(gateway.Config{
		Conn: channel, Logger: slog.New(slog.DiscardHandler), Registerer: registry, Gatherer: registry,
		JWKS: func() []byte { return nil }, OpenAPI: schema.OpenAPI, Ready: func(context.Context) error { return nil },
		Login: login.Config{
			Identity: "Bearer own", Origin: func() string { return "https://a.example" }, Cookie: "__Host-sid",
			Peers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	const proxy, stranger = "192.0.2.1:4711", "198.51.100.1:4711"
	for _, row := range []struct {
		from  string
		chain []string
		want  string // whose call it is
	}{
		{proxy, []string{"203.0.113.7"}, "203.0.113.7"},
		{proxy, []string{"203.0.113.8, 203.0.113.7"}, "203.0.113.7"},
		{proxy, []string{"203.0.113.8", "2001:db8::7"}, "2001:db8::7"},
		{proxy, []string{"203.0.113.8,203.0.113.7:1234"}, "203.0.113.7:1234"},
		{proxy, nil, "192.0.2.1"},
		{proxy, []string{""}, "192.0.2.1"},
		{proxy, []string{"203.0.113.7, unknown"}, "192.0.2.1"},
		{proxy, []string{"203.0.113.7\x00"}, "192.0.2.1"},
		{proxy, []string{strings.Repeat("203.0.113.8, ", 100) + "203.0.113.7"}, "192.0.2.1"}, // a chain that is not passed on
		{stranger, []string{"203.0.113.7"}, "198.51.100.1"},
		{stranger, []string{"203.0.113.7, 192.0.2.1"}, "198.51.100.1"},
		{stranger, nil, "198.51.100.1"},
	} {
		for _, path := range []string{"/login", "/userinfo"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr, services.along = row.from, nil
			for _, line := range row.chain {
				r.Header.Add("X-Forwarded-For", line)
			}
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			hops := strings.Split(strings.Join(services.along, "|"), ",")
			if got := strings.TrimSpace(hops[len(hops)-1]); w.Code != http.StatusOK || got != row.want {
				t.Errorf("%s from %s along %q: %d, %q, want %q", path, row.from, row.chain, w.Code, got, row.want)
			}
		}
	}
}
