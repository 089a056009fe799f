package authn

import (
	"context"
	"time"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Identity is whom an identity provider has vouched for, as far as it is believed. It is the
// key to a user: never an e-mail address, which another may have tomorrow.
type Identity struct {
	Issuer    string // the iss, to the letter
	Provider  string // the issuer's name in the issuers file
	Subject   string // the sub there; empty when the issuer is not believed for it
	PID       string // national identity number; empty when there is none, or none is believed
	Provision bool   // a user is made of a subject that has none
}

// Users knows which user an identity is.
type Users interface {
	// UserOf returns the user and his own party, zeros when the identity is of none. It makes
	// one when the identity says so.
	UserOf(ctx context.Context, i Identity) (userID, partyID int64, err error)
}

// Introspector asks an issuer about a token that only it can read.
type Introspector interface {
	Introspect(ctx context.Context, s Secret) (Verified, error)
}

// Sessions knows whose a browser's session is.
type Sessions interface {
	// Caller returns whose session it is. The error is an Unauthenticated fault when it is
	// not valid, or no longer.
	Caller(ctx context.Context, s Secret) (caller.Caller, error)
}

// Session returns the caller whose session a cookie names. A session is no bearer token: what
// a browser sends by itself opens nothing but what asks for it.
func (a *Authenticator) Session(ctx context.Context, s Secret) (caller.Caller, error) {
	if s == "" {
		return caller.Caller{}, fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no session")
	}
	if a.sessions == nil || len(s) > maxSecret {
		return caller.Caller{}, invalid("the session is not valid")
	}
	return a.sessions.Caller(ctx, s)
}

// known returns the caller of what was verified. Which user an identity is is asked each time,
// so that one who is joined, linked or removed is so at his next call.
func (a *Authenticator) known(ctx context.Context, v Verified) (caller.Caller, error) {
	return Resolve(ctx, a.users, v)
}

// Resolve returns the caller of what was verified, with the user that users know. An identity
// that nobody knows is authenticated and has no user, so that every question about his
// parties is answered with none.
func Resolve(ctx context.Context, users Users, v Verified) (caller.Caller, error) {
	who := v.Caller
	if v.Identity == nil || who.Kind != caller.User || who.UserID != 0 || users == nil {
		return who, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var err error
	who.UserID, who.PartyID, err = users.UserOf(ctx, *v.Identity)
	if err != nil {
		return caller.Caller{}, err
	}
	return who, nil
}
