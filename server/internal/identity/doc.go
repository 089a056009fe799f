// Package identity knows which user it is that an identity provider vouches for.
//
// It owns the order in which that is looked for: by national identity number in the register,
// then by issuer and subject among those that have been said to be users, then, where the
// issuer may, by making one. It refuses e-mail addresses and names: another may have them
// tomorrow. authn asks it at each call; package server builds it over register and records.
package identity
