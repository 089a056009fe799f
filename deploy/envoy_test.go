package deploy_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	upstreamhttpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// envoyFile is Envoy's example, read as Envoy reads it.
type envoyFile struct {
	bootstrap *bootstrapv3.Bootstrap
	manager   hcmv3.HttpConnectionManager
	authz     extauthzv3.ExtAuthz
	strip     luav3.Lua // which keeps the session from the service
	tls       tlsv3.DownstreamTlsContext
}

// readEnvoy reads the file into Envoy's own messages, in which a field that is misspelt is a
// fault, and holds each message to Envoy's rules, those inside of others too.
func readEnvoy(t *testing.T) *envoyFile {
	t.Helper()
	var tree any
	if err := yaml.Unmarshal([]byte(example(t, "envoy/envoy.yaml", nil)), &tree); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	f := &envoyFile{bootstrap: &bootstrapv3.Bootstrap{}}
	if err := protojson.Unmarshal(text, f.bootstrap); err != nil {
		t.Fatal(err)
	}
	if found := validate(t, f.bootstrap); found != 8 {
		t.Errorf("%d extensions are configured", found)
	}
	chain := f.bootstrap.GetStaticResources().GetListeners()[0].GetFilterChains()[0]
	unpack(t, chain.GetTransportSocket().GetTypedConfig(), &f.tls)
	unpack(t, chain.GetFilters()[0].GetTypedConfig(), &f.manager)
	unpack(t, f.manager.GetHttpFilters()[0].GetTypedConfig(), &f.authz)
	unpack(t, f.manager.GetHttpFilters()[1].GetTypedConfig(), &f.strip)
	unpack(t, f.manager.GetHttpFilters()[2].GetTypedConfig(), &routerv3.Router{})
	return f
}

// validate holds a message, and all that is packed in it, to the rules of Envoy's protos.
// It returns how many are packed.
func validate(t *testing.T, m proto.Message) (packed int) {
	t.Helper()
	if v, ok := m.(interface{ ValidateAll() error }); ok {
		if err := v.ValidateAll(); err != nil {
			t.Errorf("%s: %v", m.ProtoReflect().Descriptor().FullName(), err)
		}
	}
	var walk func(protoreflect.Message)
	walk = func(m protoreflect.Message) {
		if inner, ok := m.Interface().(*anypb.Any); ok {
			message, err := inner.UnmarshalNew()
			if err != nil {
				t.Fatal(err)
			}
			packed += 1 + validate(t, message)
			return
		}
		m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch {
			case field.IsMap() && field.MapValue().Message() != nil:
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool { walk(v.Message()); return true })
			case field.IsList() && field.Message() != nil:
				for i := range v.List().Len() {
					walk(v.List().Get(i).Message())
				}
			case !field.IsMap() && !field.IsList() && field.Message() != nil:
				walk(v.Message())
			}
			return true
		})
	}
	walk(m.ProtoReflect())
	return packed
}

func unpack(t *testing.T, from *anypb.Any, into proto.Message) {
	t.Helper()
	if err := from.UnmarshalTo(into); err != nil {
		t.Fatal(err)
	}
}

// cluster returns a cluster by its name.
func (f *envoyFile) cluster(t *testing.T, name string) *clusterv3.Cluster {
	t.Helper()
	for _, c := range f.bootstrap.GetStaticResources().GetClusters() {
		if c.GetName() == name {
			return c
		}
	}
	t.Fatalf("there is no cluster %q", name)
	return nil
}

// address returns where a cluster is.
func address(c *clusterv3.Cluster) string {
	a := c.GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress()
	return net.JoinHostPort(a.GetAddress(), strconv.Itoa(int(a.GetPortValue())))
}

// TestEnvoy reads Envoy's example, and looks at what keeps doors closed.
func TestEnvoy(t *testing.T) {
	f := readEnvoy(t)
	authz := &f.authz
	if authz.GetFailureModeAllow() || authz.GetStatusOnError().GetCode() != typev3.StatusCode_ServiceUnavailable {
		t.Error("what cannot be judged is let in")
	}
	if authz.GetTransportApiVersion() != corev3.ApiVersion_V3 || !authz.GetEncodeRawHeaders() || authz.GetAllowedHeaders() != nil {
		t.Error("not all headers are told, as the client sent them")
	}
	behalf := f.cluster(t, authz.GetGrpcService().GetEnvoyGrpc().GetClusterName())
	var options upstreamhttpv3.HttpProtocolOptions
	unpack(t, behalf.GetTypedExtensionProtocolOptions()["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"], &options)
	if options.GetExplicitHttpConfig().GetHttp2ProtocolOptions() == nil {
		t.Error("Behalf's cluster speaks no HTTP/2, which gRPC needs")
	}
	if got := address(behalf) + " " + address(f.cluster(t, "behalf_http")); got != "127.0.0.1:7400 127.0.0.1:7480" {
		t.Errorf("Behalf is looked for at %s", got)
	}
	m := &f.manager
	if !m.GetNormalizePath().GetValue() || !m.GetMergeSlashes() ||
		m.GetPathWithEscapedSlashesAction() != hcmv3.HttpConnectionManager_REJECT_REQUEST ||
		m.GetCommonHttpProtocolOptions().GetHeadersWithUnderscoresAction() != corev3.HttpProtocolOptions_REJECT_REQUEST {
		t.Error("paths or names of headers can be read in two ways")
	}
	if len(f.tls.GetCommonTlsContext().GetTlsCertificates()) != 1 {
		t.Error("there is no certificate")
	}
	hosts := m.GetRouteConfig().GetVirtualHosts()
	for _, name := range append(methodHeaders, pathHeaders...) {
		if !slices.ContainsFunc(hosts[0].GetRequestHeadersToRemove(), func(n string) bool { return alike(n) == alike(name) }) {
			t.Errorf("the service gets the client's %s", name)
		}
	}
	for _, name := range identityHeaders { // after the filter, which has set them
		if slices.ContainsFunc(hosts[0].GetRequestHeadersToRemove(), func(n string) bool { return alike(n) == alike(name) }) {
			t.Errorf("the route removes %s", name)
		}
	}
	if source := f.strip.GetDefaultSourceCode().GetInlineString(); !strings.Contains(source, `"^__Host%-sid%s*="`) {
		t.Errorf("the service gets the session:\n%s", source)
	}
	f.unjudged(t, hosts[0].GetRoutes())
}

// unjudged looks at where requests go about which nobody is asked.
func (f *envoyFile) unjudged(t *testing.T, routes []*routev3.Route) {
	t.Helper()
	for _, r := range routes {
		var own extauthzv3.ExtAuthzPerRoute
		if packed, ok := r.GetTypedPerFilterConfig()[f.manager.GetHttpFilters()[0].GetName()]; ok {
			unpack(t, packed, &own)
		}
		var whole luav3.LuaPerRoute
		if packed, ok := r.GetTypedPerFilterConfig()[f.manager.GetHttpFilters()[1].GetName()]; ok {
			unpack(t, packed, &whole)
		}
		pages := r.GetRoute().GetCluster() == "behalf_http"
		if own.GetDisabled() != pages {
			t.Errorf("the route %v: asked about: %t", r.GetMatch(), !own.GetDisabled())
		}
		if whole.GetDisabled() != pages {
			t.Errorf("the route %v: gets the session: %t", r.GetMatch(), whole.GetDisabled())
		}
	}
}

// TestEnvoyAsks asks as Envoy does that has read the example, at the address of its cluster.
func TestEnvoyAsks(t *testing.T) {
	f := readEnvoy(t)
	w := startWorld(t, "", "")
	at := netip.MustParseAddrPort(w.grpc)
	cluster := f.cluster(t, f.authz.GetGrpcService().GetEnvoyGrpc().GetClusterName())
	socket := cluster.GetLoadAssignment().GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress()
	socket.Address, socket.PortSpecifier = at.Addr().String(), &corev3.SocketAddress_PortValue{PortValue: uint32(at.Port())}
	envoy := overEnvoy(dialGRPC(t, address(cluster)), "Envoy", f.authz.GetEncodeRawHeaders())
	bearer := "Authorization: Bearer " + w.kari
	for _, row := range []struct {
		told   told
		status int
		want   string
	}{
		{told{method: "GET", target: "/open/a", headers: []string{"Behalf-User: 1"}}, 200, "||||"},
		{told{method: "GET", target: "/me"}, 401, ""},
		{told{method: "POST", target: "/me", headers: []string{bearer, "Behalf-Level: 4"}}, 200, "20000490|3|||"},
		{told{method: "GET", target: "/act", headers: []string{bearer, "Behalf-Party: 50076451"}}, 200, "20000490|3|50076451|" + uuid + "02|910042963"},
		{told{method: "GET", target: "/for/50090001/x", headers: []string{bearer}}, 403, ""},
		{told{method: "GET", target: "/open/%2e%2e/me"}, 400, ""},
	} {
		status, s := envoy.send(t, row.told)
		got := ""
		if s != nil {
			got = s.identity()
		}
		if status != row.status || got != row.want {
			t.Errorf("%s %s: %d %q, want %d %q", row.told.method, row.told.target, status, got, row.status, row.want)
		}
	}
	if status, _ := envoy.send(t, told{method: http.MethodDelete, target: "/me", headers: []string{bearer}}); status != http.StatusForbidden {
		t.Errorf("DELETE: %d", status)
	}
}
