// Package provider is the identity providers that others run: what the issuers file says of
// each, the keys it signs with, and what its tokens are believed for.
//
// It owns the file and its faults, the way to a provider over the network, the memory of its
// keys, and the reading of a token's claims into an authn.Identity. It refuses to believe: of
// a token only what its issuer's entry names counts, and with no entry nothing does. It
// refuses to decide which user an identity is, which authn asks of its Users. Package server
// builds one Provider for each entry and gives them to the Authenticator.
//
// What a provider sends is hostile until its signature has been seen: keys come from the
// address in the file or from discovery under the issuer's own name, never from a token; an
// unknown key id leads to one request in KeysInterval, however many tokens name one.
package provider
