package pep

import (
	"context"
	"strconv"
	"strings"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

// Subject is who calls, as his credentials say.
type Subject struct {
	// Attributes name him in the request for a decision. Nobody without is let in.
	Attributes []behalf.Attribute
	// User is an end user's id, 0 for all others.
	User behalf.UserID
	// Level is the authentication level of his login, 0 to 4.
	Level int
	// Org is the code of the service owner that he is, empty for all others.
	Org string
}

// Identify finds out who has a bearer token. It returns a *Refusal for who is not let in; any
// other error says that it could not find out.
type Identify func(ctx context.Context, token string) (Subject, error)

// ByBehalf has Behalf verify the token: one more call to it for each request, and no keys or
// issuers to know here. End users and service owners are identified; other services have no
// rights of their own.
func ByBehalf(client *behalf.Client) Identify {
	return func(ctx context.Context, token string) (Subject, error) {
		who, err := client.As(token).Caller(ctx)
		switch {
		case err != nil:
			return Subject{}, callerRefused(err)
		case who.GetUserId() > 0:
			id := strconv.FormatInt(who.GetUserId(), 10)
			return Subject{
				Attributes: []behalf.Attribute{{ID: behalf.AttributeUser, Values: []string{id}}},
				User:       behalf.UserID(who.GetUserId()),
				Level:      int(who.GetLevel()),
			}, nil
		case who.GetOrg() != "":
			return Subject{
				Attributes: []behalf.Attribute{{ID: behalf.AttributeOrg, Values: []string{who.GetOrg()}}},
				Org:        who.GetOrg(),
			}, nil
		}
		return Subject{}, nil
	}
}

// subjectKey is the key of the subject in a context.
type subjectKey struct{}

// SubjectFrom returns who was let in, for what is behind the door. Without a door before it, it is
// not ok.
func SubjectFrom(ctx context.Context) (_ Subject, ok bool) {
	s, ok := ctx.Value(subjectKey{}).(Subject)
	return s, ok
}

// bearer returns the token of the one Authorization header that there may be.
func bearer(headers []string) (string, error) {
	switch len(headers) {
	case 0:
		return "", &Refusal{Reason: behalf.ReasonCredentialsMissing, Message: "a bearer token is needed"}
	case 1:
		scheme, token, _ := strings.Cut(headers[0], " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			return token, nil
		}
	}
	return "", &Refusal{Reason: behalf.ReasonCredentialsInvalid, Message: "the Authorization header is not that of one bearer token"}
}
