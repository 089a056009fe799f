package interceptor_test

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// mirror tells a caller all that it takes him for.
type mirror struct {
	behalfv1.UnimplementedCallerServiceServer
}

func (mirror) GetCaller(ctx context.Context, _ *behalfv1.GetCallerRequest) (*behalfv1.GetCallerResponse, error) {
	c := caller.From(ctx)
	return &behalfv1.GetCallerResponse{Name: fmt.Sprintf("%d %d app=%s platform=%s", c.Kind, c.UserID, c.App, c.Platform)}, nil
}

// TestPlatformAccessToken looks at the token by which a part of Altinn's platform says which
// part it is: alone it is the caller's, and beside others it never stands in their way.
func TestPlatformAccessToken(t *testing.T) {
	f := newFixture(t, nil)
	server := grpc.NewServer(f.options...)
	behalfv1.RegisterCallerServiceServer(server, mirror{})
	client := behalfv1.NewCallerServiceClient(serve(t, server))
	sign := func(claims map[string]any) string {
		token, err := f.issuer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	user, storage := sign(map[string]any{"urn:altinn:userid": 7}), sign(map[string]any{"urn:altinn:app": "storage"})
	for _, c := range []struct {
		name, bearer, platform, want string
		code                         codes.Code
	}{
		{"user", user, "", "1 7 app= platform=", codes.OK},
		{"user and platform", user, storage, "1 7 app= platform=storage", codes.OK},
		{"user and what does not hold", user, storage + "x", "1 7 app= platform=", codes.OK},
		{"platform alone", "", storage, "2 0 app=storage platform=storage", codes.OK},
		{"a user's as the platform's", user, user, "1 7 app= platform=", codes.OK},
		{"what does not hold alone", "", storage + "x", "", codes.Unauthenticated},
		{"platform and what does not hold", user + "x", storage, "", codes.Unauthenticated},
		{"nothing", "", "", "", codes.Unauthenticated},
	} {
		ctx := t.Context()
		if c.bearer != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.bearer)
		}
		if c.platform != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "platformaccesstoken", c.platform)
		}
		got, err := client.GetCaller(ctx, &behalfv1.GetCallerRequest{})
		if got.GetName() != c.want || status.Code(err) != c.code {
			t.Errorf("%s: %q, %v; want %q, %s", c.name, got.GetName(), err, c.want, c.code)
		}
	}
}
