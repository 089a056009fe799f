package forwardauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/behalf-authz/behalf/gateway/forwardauth"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// services answers whatever the test wants.
type services struct {
	behalfv1.UnimplementedEnforcementServiceServer

	answer *behalfv1.AuthorizeResponse
	err    error
	asked  *behalfv1.AuthorizeRequest
	known  []string // the credentials of the call
}

func (s *services) Authorize(ctx context.Context, req *behalfv1.AuthorizeRequest) (*behalfv1.AuthorizeResponse, error) {
	s.asked, s.known = req, metadata.ValueFromIncomingContext(ctx, "authorization")
	return s.answer, s.err
}

func ask(s *services, path, peer string, headers http.Header) *httptest.ResponseRecorder {
	channel := &inprocgrpc.Channel{}
	behalfv1.RegisterEnforcementServiceServer(channel, s)
	api := forwardauth.New(forwardauth.Config{Conn: channel, Identity: "Bearer own", Peers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")}})
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Header = peer, headers
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w
}

func told() http.Header {
	return http.Header{
		"X-Forwarded-Method": {"POST"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"a.example.com"}, "X-Forwarded-Uri": {"/a?b=c"},
		"X-Original-Method": {"POST"}, "X-Original-Uri": {"/a?b=c"}, "Authorization": {"Bearer client"}, "X-Forwarded-For": {"203.0.113.9, 198.51.100.7"},
	}
}

const peer = "192.0.2.1:1234"

var paths = []string{forwardauth.PathForward, forwardauth.PathNginx}

// TestClosed has every adapter keep the request out, whatever else than a permission comes.
func TestClosed(t *testing.T) {
	for name, row := range map[string]struct {
		services services
		want     int
	}{
		"zero answer":    {services{answer: &behalfv1.AuthorizeResponse{}}, 403},
		"unknown":        {services{answer: &behalfv1.AuthorizeResponse{Verdict: 99}}, 403},
		"denied":         {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_DENIED}}, 403},
		"malformed":      {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_MALFORMED}}, 400},
		"anonymous":      {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_UNAUTHENTICATED, Reason: "CREDENTIALS_MISSING"}}, 401},
		"level":          {services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_STEP_UP, RequiredLevel: 4}}, 401},
		"fault":          {services{err: errors.New("disk /var/lib/behalf is full")}, 503},
		"unavailable":    {services{err: status.Error(codes.Unavailable, "")}, 503},
		"not the own":    {services{err: status.Error(codes.PermissionDenied, "")}, 503},
		"message refuse": {services{err: status.Error(codes.InvalidArgument, "")}, 400},
		"permission beside a fault": {services{
			answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}, err: status.Error(codes.Internal, ""),
		}, 503},
	} {
		if row.services.answer != nil {
			row.services.answer.Identity = []*behalfv1.IdentityHeader{{Name: "Behalf-User", Value: "1"}}
		}
		for _, path := range paths {
			w := ask(&row.services, path, peer, told())
			want, seen := row.want, w.Code
			if path == forwardauth.PathNginx {
				if w.Code != 401 {
					want = 403
				}
				if got := w.Header().Get("Behalf-Status"); got == "" || got == "200" {
					t.Errorf("%s: %s: Behalf-Status %q", name, path, got)
				}
			}
			if seen != want || w.Header().Get("Behalf-User") != "" || (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("%s: %s: %d %v, want %d", name, path, seen, w.Header(), want)
			}
		}
	}
}

// TestTold says what reaches the service, and with whose credentials.
func TestTold(t *testing.T) {
	for _, path := range paths {
		s := &services{answer: &behalfv1.AuthorizeResponse{
			Verdict: behalfv1.Verdict_VERDICT_ALLOWED, Identity: []*behalfv1.IdentityHeader{{Name: "miauserid", Value: "7"}, {Name: "miausergroups"}},
		}}
		w := ask(s, path+"?x=/public", peer, told())
		if w.Code != 200 || w.Header().Get("Miauserid") != "7" || len(w.Header().Values("Miausergroups")) != 1 {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if len(s.known) != 1 || s.known[0] != "Bearer own" {
			t.Errorf("%s: the call carries %q", path, s.known)
		}
		a := s.asked
		if a.GetMethod() != "POST" || a.GetScheme() != "https" || string(a.GetHost()) != "a.example.com" || string(a.GetPath()) != "/a?b=c" ||
			a.GetClient() != "198.51.100.7" || a.GetRemoves() {
			t.Errorf("%s: asked %v", path, a)
		}
		for _, h := range a.GetHeaders() {
			if h.GetName() != "Authorization" || string(h.GetValue()) != "Bearer client" {
				t.Errorf("%s: told of %s", path, h.GetName())
			}
		}
	}
}

// TestPeers says who is believed.
func TestPeers(t *testing.T) {
	for from, want := range map[string]int{
		peer: 200, "[::ffff:192.0.2.9]:1": 200, "[2001:db8::1]:1": 200,
		"192.0.3.1:1": 403, "[2001:db9::1]:1": 403, "127.0.0.1:1": 403, "": 403, "192.0.2.1": 403, "@": 403, "nonsense:1": 403,
	} {
		for _, path := range paths {
			s := &services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}}
			w := ask(s, path, from, told())
			if w.Code != want || want != 200 && s.asked != nil {
				t.Errorf("%s from %q: %d, want %d", path, from, w.Code, want)
			}
		}
	}
}
