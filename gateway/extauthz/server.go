package extauthz

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/behalf-authz/behalf/gateway/internal/refusal"
	"github.com/behalf-authz/behalf/gateway/internal/trust"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// CheckMethod is the full name of the method that Envoy calls.
const CheckMethod = authv3.Authorization_Check_FullMethodName

// ReasonHeader says in answers why a request is kept out, for machines.
const ReasonHeader = "behalf-reason"

// Config is what a Server needs.
type Config struct {
	Conn grpc.ClientConnInterface
	// Identity is the authorization of the gateway's own calls.
	Identity string
	// Peers are the networks of the Envoys that are believed when they tell of a request.
	Peers []netip.Prefix
	// Certificates are names, in verified certificates, of Envoys that are believed too.
	Certificates []string
	// LoginOrigin returns scheme and host where browsers log in. Nil when nobody can.
	LoginOrigin func() string
}

// Server is Envoy's Authorization service.
type Server struct {
	authv3.UnimplementedAuthorizationServer

	enforcement behalfv1.EnforcementServiceClient
	identity    string
	gateways    *trust.Gateways
	login       refusal.Login
}

// New returns a server. It believes nobody whom c does not name, and no key without the scope.
func New(c Config) *Server {
	return &Server{
		enforcement: behalfv1.NewEnforcementServiceClient(c.Conn), identity: c.Identity,
		gateways: trust.New(c.Conn, trust.Config{Networks: c.Peers, Certificates: c.Certificates}),
		login:    refusal.Login{Origin: c.LoginOrigin},
	}
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { authv3.RegisterAuthorizationServer(r, s) }

// Check answers about one request. An error makes Envoy keep the request out, as does every
// answer but the one of allowed.
func (s *Server) Check(ctx context.Context, req *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	from := client(ctx)
	believed, err := s.gateways.Believes(ctx, from)
	if err != nil {
		return denied(refusal.Failed(err)), nil
	}
	if !believed {
		return denied(refusal.Untrusted()), nil
	}
	told := req.GetAttributes().GetRequest().GetHttp()
	if told == nil {
		return denied(refusal.Untold()), nil
	}
	asked := question(req, told)
	answer, err := s.enforcement.Authorize(s.identified(ctx, told.GetId(), from), asked)
	if err != nil {
		return denied(refusal.Failed(err)), nil
	}
	if answer.GetVerdict() == behalfv1.Verdict_VERDICT_ALLOWED {
		return allowed(answer), nil
	}
	return denied(refusal.Of(answer, asked, s.login)), nil
}

// question returns the request that Envoy tells of. Of the raw headers, if it sends them,
// each line counts; of the others, those of one name come as one, divided by commas, which
// no credential and no party has.
func question(req *authv3.CheckRequest, told *authv3.AttributeContext_HttpRequest) *behalfv1.AuthorizeRequest {
	q := &behalfv1.AuthorizeRequest{
		Method: told.GetMethod(), Scheme: told.GetScheme(), Host: []byte(told.GetHost()), Path: []byte(told.GetPath()),
		Client: req.GetAttributes().GetSource().GetAddress().GetSocketAddress().GetAddress(), Removes: true,
	}
	add := func(name string, value []byte) {
		if !strings.HasPrefix(name, ":") { // those of HTTP/2, which are told apart
			q.Headers = append(q.Headers, &behalfv1.RequestHeader{Name: name, Value: value})
		}
	}
	if raw := told.GetHeaderMap().GetHeaders(); len(raw) > 0 {
		for _, h := range raw {
			value := h.GetRawValue()
			if len(value) == 0 {
				value = []byte(h.GetValue())
			}
			add(h.GetKey(), value)
		}
		return q
	}
	for name, value := range told.GetHeaders() {
		add(name, []byte(value))
	}
	return q
}

// allowed lets the request pass. Each identity header is set over the client's, or removed.
func allowed(answer *behalfv1.AuthorizeResponse) *authv3.CheckResponse {
	ok := &authv3.OkHttpResponse{HeadersToRemove: slices.Clone(answer.GetRemove())}
	for _, h := range answer.GetIdentity() {
		if h.GetValue() == "" {
			ok.HeadersToRemove = append(ok.HeadersToRemove, h.GetName())
			continue
		}
		ok.Headers = append(ok.Headers, set(h.GetName(), h.GetValue()))
	}
	return &authv3.CheckResponse{
		Status:       &rpcstatus.Status{Code: int32(codes.OK)},
		HttpResponse: &authv3.CheckResponse_OkResponse{OkResponse: ok},
	}
}

// set returns a header that takes the place of those of its name. Envoy's default would
// leave the client's beside it.
func set(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

// denied keeps the request out. The code of its status does: Envoy takes OK for a permission,
// whatever else is there.
func denied(f refusal.Refusal) *authv3.CheckResponse {
	headers := []*corev3.HeaderValueOption{set(ReasonHeader, f.Reason)}
	switch {
	case f.Location != "":
		headers = append(headers, set("location", f.Location), set("cache-control", "no-store"))
	case f.Challenge != "":
		headers = append(headers, set("www-authenticate", f.Challenge))
	}
	if f.Status == http.StatusTooManyRequests {
		headers = append(headers, set("retry-after", f.Retry))
	}
	if f.Hint != "" {
		headers = append(headers, set("x-auth-redirect", f.Hint))
	}
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(codeOf(f.Status)), Message: f.Reason},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: statusOf(f.Status)}, Headers: headers,
		}},
	}
}

// codeOf returns the code of a refusal, which is never OK.
func codeOf(status int) codes.Code {
	switch status {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized, http.StatusFound:
		return codes.Unauthenticated
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.PermissionDenied
}

// statusOf returns a status of HTTP as Envoy has it; 403 for one that no refusal has.
func statusOf(status int) typev3.StatusCode {
	switch status {
	case http.StatusFound:
		return typev3.StatusCode_Found
	case http.StatusBadRequest:
		return typev3.StatusCode_BadRequest
	case http.StatusUnauthorized:
		return typev3.StatusCode_Unauthorized
	case http.StatusTooManyRequests:
		return typev3.StatusCode_TooManyRequests
	case http.StatusServiceUnavailable:
		return typev3.StatusCode_ServiceUnavailable
	}
	return typev3.StatusCode_Forbidden
}

// client returns what the connection and the metadata of a call say of who calls.
func client(ctx context.Context) trust.Client {
	var c trust.Client
	if p, ok := peer.FromContext(ctx); ok && p.Addr != nil {
		c.Address = p.Addr.String()
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			c.TLS = &info.State
		}
	}
	if keys := metadata.ValueFromIncomingContext(ctx, "authorization"); len(keys) == 1 {
		c.Key = keys[0]
	}
	return c
}

// identified returns a context whose calls are the gateway's own. They come from an Envoy, by which
// requests are counted of whose clients it does not tell.
func (s *Server) identified(ctx context.Context, id string, from trust.Client) context.Context {
	own := metadata.MD{"authorization": {s.identity}}
	if host, _, err := net.SplitHostPort(from.Address); err == nil {
		own.Set("x-forwarded-for", host)
	}
	if plain(id) {
		own.Set("x-request-id", id)
	}
	return metadata.NewOutgoingContext(ctx, own)
}

// plain says whether a text may stand in metadata.
func plain(text string) bool {
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
