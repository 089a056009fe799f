package extauthz

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

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
}

// Server is Envoy's Authorization service.
type Server struct {
	authv3.UnimplementedAuthorizationServer

	enforcement behalfv1.EnforcementServiceClient
	identity    string
	peers       []netip.Prefix
}

// New returns a server. Without peers it refuses every call.
func New(c Config) *Server {
	return &Server{enforcement: behalfv1.NewEnforcementServiceClient(c.Conn), identity: c.Identity, peers: c.Peers}
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { authv3.RegisterAuthorizationServer(r, s) }

// Check answers about one request. An error makes Envoy keep the request out, as does every
// answer but the one of allowed.
func (s *Server) Check(ctx context.Context, req *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	if !s.trusts(ctx) {
		return denied(codes.PermissionDenied, typev3.StatusCode_Forbidden, "UNTRUSTED_PEER", ""), nil
	}
	told := req.GetAttributes().GetRequest().GetHttp()
	if told == nil {
		return denied(codes.InvalidArgument, typev3.StatusCode_BadRequest, "REQUEST_MALFORMED", ""), nil
	}
	answer, err := s.enforcement.Authorize(s.identified(ctx, told.GetId()), question(req, told))
	if err != nil {
		if status.Code(err) == codes.InvalidArgument {
			return denied(codes.InvalidArgument, typev3.StatusCode_BadRequest, "REQUEST_MALFORMED", ""), nil
		}
		return denied(codes.Unavailable, typev3.StatusCode_ServiceUnavailable, "UNAVAILABLE", ""), nil
	}
	if answer.GetVerdict() == behalfv1.Verdict_VERDICT_ALLOWED {
		return allowed(answer), nil
	}
	return refused(answer), nil
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

// refused keeps the request out as the verdict says. One that is not known does too.
func refused(answer *behalfv1.AuthorizeResponse) *authv3.CheckResponse {
	reason := answer.GetReason()
	switch answer.GetVerdict() {
	case behalfv1.Verdict_VERDICT_MALFORMED:
		return denied(codes.InvalidArgument, typev3.StatusCode_BadRequest, reason, "")
	case behalfv1.Verdict_VERDICT_UNAUTHENTICATED:
		challenge := `Bearer realm="behalf"`
		if reason != "CREDENTIALS_MISSING" {
			challenge += `, error="invalid_token"`
		}
		return denied(codes.Unauthenticated, typev3.StatusCode_Unauthorized, reason, challenge)
	case behalfv1.Verdict_VERDICT_STEP_UP:
		return denied(codes.Unauthenticated, typev3.StatusCode_Unauthorized, reason,
			`Bearer realm="behalf", error="insufficient_user_authentication", acr_values="urn:altinn:authlevel:`+
				strconv.Itoa(int(answer.GetRequiredLevel()))+`"`)
	case behalfv1.Verdict_VERDICT_ALLOWED, behalfv1.Verdict_VERDICT_UNSPECIFIED:
		reason = "NO_VERDICT"
	case behalfv1.Verdict_VERDICT_DENIED:
	}
	return denied(codes.PermissionDenied, typev3.StatusCode_Forbidden, reason, "")
}

// denied returns an answer that keeps the request out. The code of its status does: Envoy
// takes OK for a permission, whatever else is there.
func denied(code codes.Code, to typev3.StatusCode, reason, challenge string) *authv3.CheckResponse {
	headers := []*corev3.HeaderValueOption{set(ReasonHeader, reason)}
	if challenge != "" {
		headers = append(headers, set("www-authenticate", challenge))
	}
	return &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(code), Message: reason},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: to}, Headers: headers,
		}},
	}
}

// trusts says whether the caller is in one of the networks.
func (s *Server) trusts(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return false
	}
	host, _, err := net.SplitHostPort(p.Addr.String())
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	address = address.Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(s.peers, func(n netip.Prefix) bool { return n.Contains(address) })
}

// identified returns a context whose calls are the gateway's own.
func (s *Server) identified(ctx context.Context, id string) context.Context {
	own := metadata.MD{"authorization": {s.identity}}
	if plain(id) {
		own.Set("x-request-id", id)
	}
	return metadata.NewOutgoingContext(ctx, own)
}

// plain says whether a text may stand in metadata.
func plain(text string) bool {
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
