package forwardauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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

func ask(s *services, path, peer string, headers http.Header) *httptest.ResponseRecorder {
	return askBy(s, http.MethodGet, path, peer, headers)
}

func askBy(s *services, method, path, peer string, headers http.Header) *httptest.ResponseRecorder {
	channel := &inprocgrpc.Channel{}
	behalfv1.RegisterEnforcementServiceServer(channel, s)
	behalfv1.RegisterCallerServiceServer(channel, callers{})
	api := forwardauth.New(forwardauth.Config{Conn: channel, Identity: "Bearer own", Peers: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")},
		LoginOrigin: func() string { return "https://a.example.com" },
	})
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Header = peer, headers
	if at, ok := strings.CutPrefix(path, "https://"); ok { // asked at a host of another name
		r.RequestURI = at[strings.IndexByte(at, '/'):]
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w
}

func told() http.Header {
	return http.Header{
		"X-Forwarded-Method": {"POST"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"a.example.com"}, "X-Forwarded-Uri": {"/a?b=c"},
		"X-Original-Method": {"POST"}, "X-Original-Uri": {"/a?b=c"}, "Original-Request-Method": {"POST"}, "Original-Request-Uri": {"/a?b=c"}, "Authorization": {"Bearer client"}, "X-Forwarded-For": {"203.0.113.9, 198.51.100.7"},
	}
}

const peer = "192.0.2.1:1234"

var paths = []string{forwardauth.PathForward, forwardauth.PathNginx, forwardauth.PathMia, forwardauth.PathMia + "/x", forwardauth.PathEnvoy + "/a"}

// ofNginx says whether a door answers 200, 401 and 403, and a fault of Mia's 503.
func ofNginx(path string) bool {
	return path == forwardauth.PathNginx || strings.HasPrefix(path, forwardauth.PathMia+"/") || path == forwardauth.PathMia
}

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
			if ofNginx(path) {
				if w.Code != 401 && (w.Code != 503 || path == forwardauth.PathNginx) {
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
	for _, path := range []string{forwardauth.PathForward, forwardauth.PathNginx, forwardauth.PathMia} {
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

// TestKeys has gateways known by a key of their own, which reaches nobody else.
func TestKeys(t *testing.T) {
	for given, want := range map[string]int{"gate": 200, "": 403, "other": 403, "Bearer gate": 403, "dead": 503, "gate,gate": 403} {
		for _, path := range paths {
			h := told()
			for key := range strings.SplitSeq(given, ",") {
				h.Add(forwardauth.KeyHeader, key)
			}
			s := &services{answer: &behalfv1.AuthorizeResponse{Verdict: behalfv1.Verdict_VERDICT_ALLOWED}}
			w := ask(s, path, "198.51.100.1:1", h)
			if ofNginx(path) && want == 503 && path == forwardauth.PathNginx {
				if w.Code != 403 || w.Header().Get("Behalf-Status") != "503" {
					t.Errorf("%s with %q: %d", path, given, w.Code)
				}
				continue
			}
			if w.Code != want || (s.asked != nil) != (want == 200) {
				t.Errorf("%s with %q: %d, want %d", path, given, w.Code, want)
			}
			for _, line := range s.asked.GetHeaders() {
				if line.GetName() == forwardauth.KeyHeader {
					t.Errorf("%s: the key is told", path)
				}
			}
		}
	}
}

// TestEnvoyTells says what is read of a request that Envoy sends as the client did.
func TestEnvoyTells(t *testing.T) {
	answer := &behalfv1.AuthorizeResponse{
		Verdict:  behalfv1.Verdict_VERDICT_ALLOWED,
		Identity: []*behalfv1.IdentityHeader{{Name: "Behalf-User", Value: "7"}, {Name: "Behalf-Level"}}, Remove: []string{"behalf_user"},
	}
	for _, row := range []struct {
		path string
		want string // empty when it is refused
	}{
		{"/authz/envoy/", "/"},
		{"/authz/envoy/a?b=c", "/a?b=c"},
		{"/authz/envoy/a%2Fb//c/../d;e", "/a%2Fb//c/../d;e"}, // to the letter
		{"/authz/envoy/authz/envoy/x", "/authz/envoy/x"},
		{"/authz/envoy//x", "//x"},
		{"/%61uthz/envoy/x", ""},
		{"http://example.com/authz/envoy/x", ""},
	} {
		s := &services{answer: answer}
		w := askBy(s, http.MethodDelete, row.path, peer, http.Header{"X-Forwarded-Uri": {"/evil"}, "X-Forwarded-Host": {"evil.example"}, "X-Http-Method-Override": {"GET"}})
		if row.want == "" {
			if w.Code != 400 || s.asked != nil {
				t.Errorf("%s: %d %v", row.path, w.Code, s.asked)
			}
			continue
		}
		a := s.asked
		if w.Code != 200 || a.GetMethod() != "DELETE" || string(a.GetPath()) != row.want || string(a.GetHost()) != "example.com" || a.GetScheme() != "https" || !a.GetRemoves() {
			t.Errorf("%s: %d, asked %v", row.path, w.Code, a)
		}
		if got := w.Header().Get("X-Envoy-Auth-Headers-To-Remove"); got != "behalf_user,Behalf-Level" || w.Header().Get("Behalf-User") != "7" || len(w.Header().Values("Behalf-Level")) != 1 {
			t.Errorf("%s: %v", row.path, w.Header())
		}
	}
	for _, path := range []string{"/authz/envoy", "/authz/envoyx", "/authx", "/authorization", "/authz"} {
		if forwardauth.Serves(path) {
			t.Errorf("%s is served", path)
		}
	}
}

// TestBrowsers sends browsers to the login, each gateway in its way.
func TestBrowsers(t *testing.T) {
	for _, verdict := range []behalfv1.Verdict{behalfv1.Verdict_VERDICT_UNAUTHENTICATED, behalfv1.Verdict_VERDICT_STEP_UP, behalfv1.Verdict_VERDICT_DENIED} {
		for _, path := range paths {
			h := told()
			h.Del("Authorization")
			for _, name := range []string{"X-Forwarded-Method", "X-Original-Method", "Original-Request-Method"} {
				h.Set(name, "GET")
			}
			h.Set("Sec-Fetch-Mode", "navigate")
			h.Set("Sec-Fetch-Dest", "document")
			r := &services{answer: &behalfv1.AuthorizeResponse{Verdict: verdict, RequiredLevel: 3, Mia: &behalfv1.MiaAnswer{}}}
			target := path
			if strings.HasPrefix(path, forwardauth.PathEnvoy) {
				target = "/authz/envoy/a?b=c"
			}
			w := askAt(r, "a.example.com", target, h)
			want := "https://a.example.com/login?return=%2Fa%3Fb%3Dc"
			if verdict == behalfv1.Verdict_VERDICT_STEP_UP {
				want = "https://a.example.com/login?acr_values=urn%3Aaltinn%3Aauthlevel%3A3&return=%2Fa%3Fb%3Dc"
			}
			status, header := 302, "Location"
			if ofNginx(path) {
				status, header = 401, "X-Auth-Redirect"
			}
			if verdict == behalfv1.Verdict_VERDICT_DENIED {
				status, want = 403, ""
			}
			if w.Code != status || w.Header().Get(header) != want || ofNginx(path) && verdict != behalfv1.Verdict_VERDICT_DENIED && w.Header().Get("Behalf-Status") != "302" {
				t.Errorf("%s: %s: %d %v", path, verdict, w.Code, w.Header())
			}
			dead := &services{err: errors.New("the provider does not answer")}
			if w := askAt(dead, "a.example.com", target, h); w.Header().Get(header) != "" || w.Code == 302 || w.Code == 401 || w.Code == 200 {
				t.Errorf("%s: a fault sends to the login: %d %v", path, w.Code, w.Header())
			}
		}
	}
}

func askAt(s *services, host, path string, headers http.Header) *httptest.ResponseRecorder {
	return askBy(s, http.MethodGet, "https://"+host+path, peer, headers)
}
