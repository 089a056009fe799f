package interceptor

import (
	"context"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/behalf-authz/behalf/server/internal/authn/certificate"
	"github.com/behalf-authz/behalf/server/internal/caller"
)

// Certificates knows services by the names in their certificates.
type Certificates interface {
	// Caller returns whose names they are, nobody when they are nobody's.
	Caller(ctx context.Context, names []string) (caller.Caller, error)
}

// certificateKey is where the gateway in this process puts the names of its client's
// certificate. In a call from elsewhere it is what somebody says of himself.
const certificateKey = "x-behalf-client-certificate"

// certified returns whom the certificate of a call names, nobody when it names nobody.
func (c *Chain) certified(ctx context.Context) (caller.Caller, error) {
	if c.certificates == nil {
		return caller.Caller{}, nil
	}
	return c.certificates.Caller(ctx, certificateNames(ctx))
}

func certificateNames(ctx context.Context) []string {
	if local(ctx) {
		return metadata.ValueFromIncomingContext(ctx, certificateKey)
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil
	}
	return certificate.Names(info.State)
}
