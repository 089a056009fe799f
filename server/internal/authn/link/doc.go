// Package link lets administrators say which user a subject of an identity provider is.
//
// It owns the link of a subject to a user, its list, and that every change is recorded before
// it is made. It refuses to guess: server/internal/identity finds users by what the register
// says of them, and asks the same records; here somebody answers for it. It refuses users that
// are not on record. server/internal/rpc/identity calls it; server/internal/records stores.
package link
