// Package authn establishes who calls: it turns a bearer token or an API key into a
// caller.Caller.
//
// It owns the local issuer and its key, the verification of tokens and the memory of
// verified ones, the API keys of services, and the admin key of the data directory.
// It refuses to decide what a caller may do: server/internal/rpc/interceptor does, by
// scope and method, and the services do, by subject. It refuses transports: credentials
// come as texts. Client certificates, which do not, are package certificate's. Storage of
// API keys is asked of a KeyStore, which server/internal/records is.
//
// A token with the claim urn:altinn:userid is an end user's, whatever else it claims:
// its scopes are ignored. Any other valid token is a service's, with the behalf: scopes
// it names; with none of them it is authenticated and may do nothing that needs a scope.
// As in Altinn, audiences are not looked at.
//
// Secrets never leave the package but as Secret, which prints as a placeholder; no error
// repeats what the caller sent.
package authn
