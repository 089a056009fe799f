package callerrpc_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/records"
	"github.com/behalf-authz/behalf/server/internal/rpc/callerrpc"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// fixture is the service behind the chain, with real keys in a real store.
type fixture struct {
	behalfv1.CallerServiceClient
	issuer *authn.Issuer
	admin  authn.Secret
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	store := must(records.Open(t.Context(), records.Config{}))(t)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	issuer := must(authn.OpenIssuer(dir))(t)
	keys := must(authn.NewKeys(authn.KeysConfig{Store: store, Admin: must(authn.OpenAdminKey(dir))(t)}))(t)
	authenticator := must(authn.New(authn.Config{
		Verifiers: []authn.Verifier{must(issuer.Verifier())(t)},
		Keys:      keys,
	}))(t)
	chain := must(interceptor.New(interceptor.Config{
		Logger:        slog.New(slog.DiscardHandler),
		Registerer:    prometheus.NewRegistry(),
		Authenticator: authenticator,
		Access:        interceptor.BehalfAccess(),
	}))(t)
	server := grpc.NewServer(grpc.UnaryInterceptor(chain.Unary()), grpc.StreamInterceptor(chain.Stream()))
	must(callerrpc.New(callerrpc.Config{Keys: keys, Logger: slog.New(slog.DiscardHandler)}))(t).Register(server)
	return &fixture{
		CallerServiceClient: behalfv1.NewCallerServiceClient(serve(t, server)),
		issuer:              issuer,
		admin:               must(authn.ReadAdminKey(dir))(t),
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func serve(t *testing.T, server *grpc.Server) *grpc.ClientConn {
	t.Helper()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Error(err)
		}
	})
	conn := must(grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials())))(t)
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		wg.Wait()
	})
	return conn
}

func as(t *testing.T, s authn.Secret) context.Context {
	t.Helper()
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+string(s))
}

func (f *fixture) sign(t *testing.T, claims map[string]any) authn.Secret {
	t.Helper()
	return authn.Secret(must(f.issuer.Sign(claims))(t))
}

func TestGetCaller(t *testing.T) {
	f := newFixture(t)
	for name, tc := range map[string]struct {
		who  authn.Secret
		want *behalfv1.GetCallerResponse
	}{
		"user": {
			f.sign(t, authn.UserClaims(authn.TokenUser{UserID: 20001337, PartyID: 50002598, Level: 3})),
			&behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_USER, UserId: 20001337, PartyId: 50002598, Level: 3},
		},
		"token": {
			f.sign(t, map[string]any{"sub": "billing", "scope": "behalf:check"}),
			&behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_SERVICE, Name: "billing", Scopes: []string{"behalf:check"}},
		},
		"admin key": {
			f.admin,
			&behalfv1.GetCallerResponse{Kind: behalfv1.CallerKind_CALLER_KIND_SERVICE, Name: "admin (data directory)", Scopes: []string{"behalf:admin"}},
		},
	} {
		got, err := f.GetCaller(as(t, tc.who), &behalfv1.GetCallerRequest{})
		if diff := cmp.Diff(tc.want, got, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("%s: %v, (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestTheLifeOfAKey(t *testing.T) {
	f := newFixture(t)
	admin := as(t, f.admin)
	expires := timestamppb.New(time.Now().Add(time.Hour).UTC().Truncate(time.Second))
	made := must(f.CreateAPIKey(admin, &behalfv1.CreateAPIKeyRequest{
		Name: "billing", Scopes: []string{"behalf:check", "behalf:parties.read"}, ExpiresAt: expires,
	}))(t)
	if made.GetKey().GetCreatedAt().AsTime().IsZero() || !strings.HasPrefix(made.GetSecret(), "behalf_"+made.GetKey().GetId()+"_") {
		t.Errorf("made %v", made.GetKey())
	}
	want := &behalfv1.APIKey{
		Id: made.GetKey().GetId(), Name: "billing", Scopes: []string{"behalf:check", "behalf:parties.read"},
		CreatedAt: made.GetKey().GetCreatedAt(), ExpiresAt: expires,
	}
	list := must(f.ListAPIKeys(admin, &behalfv1.ListAPIKeysRequest{}))(t)
	if diff := cmp.Diff([]*behalfv1.APIKey{want}, list.GetKeys(), protocmp.Transform()); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}

	holder := as(t, authn.Secret(made.GetSecret()))
	who := must(f.GetCaller(holder, &behalfv1.GetCallerRequest{}))(t)
	if who.GetName() != "billing" {
		t.Errorf("its holder is %v", who)
	}
	for name, err := range map[string]error{
		"create": second(f.CreateAPIKey(holder, &behalfv1.CreateAPIKeyRequest{Name: "x", Scopes: []string{"behalf:admin"}})),
		"list":   second(f.ListAPIKeys(holder, &behalfv1.ListAPIKeysRequest{})),
		"revoke": second(f.RevokeAPIKey(holder, &behalfv1.RevokeAPIKeyRequest{Id: made.GetKey().GetId()})),
	} {
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s by a service that is no administrator: %v", name, err)
		}
	}

	must(f.RevokeAPIKey(admin, &behalfv1.RevokeAPIKeyRequest{Id: made.GetKey().GetId()}))(t)
	if _, err := f.GetCaller(holder, &behalfv1.GetCallerRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("the revoked key: %v", err)
	}
	_, err := f.RevokeAPIKey(admin, &behalfv1.RevokeAPIKeyRequest{Id: made.GetKey().GetId()})
	if status.Code(err) != codes.NotFound {
		t.Errorf("revoked twice: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestCreateRefuses(t *testing.T) {
	f := newFixture(t)
	for name, tc := range map[string]struct {
		request *behalfv1.CreateAPIKeyRequest
		field   string
		says    string
	}{
		"unknown scope": {&behalfv1.CreateAPIKeyRequest{Name: "x", Scopes: []string{"behalf:check", "behalf:all"}}, "scopes[1]", `"behalf:all" is no scope; must be one of behalf:parties.read, `},
		"no scope":      {&behalfv1.CreateAPIKeyRequest{Name: "x"}, "scopes", ""},
		"a scope twice": {&behalfv1.CreateAPIKeyRequest{Name: "x", Scopes: []string{"behalf:check", "behalf:check"}}, "scopes", ""},
		"no name":       {&behalfv1.CreateAPIKeyRequest{Scopes: []string{"behalf:check"}}, "name", ""},
		"expired": {&behalfv1.CreateAPIKeyRequest{Name: "x", Scopes: []string{"behalf:check"},
			ExpiresAt: timestamppb.New(time.Unix(0, 0))}, "expires_at", ""},
	} {
		_, err := f.CreateAPIKey(as(t, f.admin), tc.request)
		s := status.Convert(err)
		if s.Code() != codes.InvalidArgument || len(s.Details()) != 2 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v := s.Details()[1].(*errdetails.BadRequest).GetFieldViolations()[0]
		if v.GetField() != tc.field || !strings.Contains(v.GetDescription(), tc.says) {
			t.Errorf("%s: %v", name, v)
		}
	}
	if list := must(f.ListAPIKeys(as(t, f.admin), &behalfv1.ListAPIKeysRequest{}))(t); len(list.GetKeys()) != 0 {
		t.Errorf("keys were made: %v", list)
	}
}
