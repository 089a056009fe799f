// Package certificate knows services by the certificates with which they connect.
//
// It owns which name in a certificate is which service, and what that may do. It refuses to
// verify certificates, which the TLS layer has done before, and to take part of a name for
// it: a name is the same to the letter or another. server/internal/rpc/interceptor asks it about
// calls that carry no other credentials; server/internal/authn/provider reads its entries.
package certificate
