package bench

import (
	"context"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// ChainMethod names the method that does nothing behind all that a call of Behalf passes:
// it is told who calls, and says so.
func (a API) ChainMethod() string {
	switch a {
	case GRPC:
		return "behalf.v1 CallerService.GetCaller over gRPC"
	case REST:
		return "GET /v1/caller over HTTP"
	case Authzed, OpenFGA, Lookup:
	}
	return "" // others have none
}

// chain asks a server of behalf.v1 over gRPC who calls.
type chain []behalfv1.CallerServiceClient

// NewChain returns the method that does nothing, over gRPC.
func NewChain(conns []grpc.ClientConnInterface) Target {
	var c chain
	for _, conn := range conns {
		c = append(c, behalfv1.NewCallerServiceClient(conn))
	}
	return c
}

func (c chain) Probe(ctx context.Context, _ Question) ([]byte, error) {
	response, err := c[0].GetCaller(ctx, &behalfv1.GetCallerRequest{})
	if err != nil {
		return nil, err
	}
	return proto.Marshal(response)
}

func (c chain) Ask(ctx context.Context, caller int, _ Question) (bool, error) {
	_, err := c[caller%len(c)].GetCaller(ctx, &behalfv1.GetCallerRequest{})
	return false, err
}

// restChain does the same over HTTP.
type restChain struct{ rest }

// NewRESTChain returns the method that does nothing, over HTTP.
func NewRESTChain(client *http.Client, base, token string) Target {
	return &restChain{rest{client: client, base: strings.TrimSuffix(base, "/"), token: token}}
}

func (c *restChain) Probe(ctx context.Context, _ Question) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/v1/caller", nil)
}

func (c *restChain) Ask(ctx context.Context, _ int, _ Question) (bool, error) {
	_, err := c.call(ctx, http.MethodGet, "/v1/caller", nil)
	return false, err
}
