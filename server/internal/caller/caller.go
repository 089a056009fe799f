package caller

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// Kind is what a caller is. The zero Kind is nobody, who may do nothing.
type Kind uint8

// The kinds of caller.
const (
	Nobody  Kind = iota
	User         // an end user, known by his token
	Service      // a program, known by an API key or by a token with scopes
)

// Scope is a right of a service.
type Scope string

// The scopes. Admin includes all others.
const (
	PartiesRead     Scope = "behalf:parties.read"
	RolesRead       Scope = "behalf:roles.read"
	Check           Scope = "behalf:check"
	Decide          Scope = "behalf:decide"
	RegisterWrite   Scope = "behalf:register.write"
	DelegationWrite Scope = "behalf:delegation.write"
	PolicyWrite     Scope = "behalf:policy.write"
	RelationsRead   Scope = "behalf:relations.read"
	RelationsWrite  Scope = "behalf:relations.write"
	SchemaWrite     Scope = "behalf:schema.write"
	AuditRead       Scope = "behalf:audit.read"
	Enforce         Scope = "behalf:enforce" // of an API gateway: to ask about others' requests
	Admin           Scope = "behalf:admin"
)

// Gateway is the scope of the server's own gateway, for what it tells of clients that it
// has looked at itself. No key or token has it.
const Gateway Scope = "behalf:gateway"

// Scopes are all scopes that can be given, in the order of their declaration.
var Scopes = []Scope{
	PartiesRead, RolesRead, Check, Decide, RegisterWrite, DelegationWrite, PolicyWrite,
	RelationsRead, RelationsWrite, SchemaWrite, AuditRead, Enforce, Admin,
}

// Caller is an authenticated identity. The zero Caller is nobody. It is not changed
// once it is in a context.
type Caller struct {
	Kind    Kind
	UserID  int64   // the user, when Kind is User
	PartyID int64   // the user's own party as the token says, or 0
	Level   int     // authentication level of the user, 0 to 4
	Name    string  // the service's name, when Kind is Service; for logs
	Scopes  []Scope // the service's scopes
	App     string  // the platform's app that the service is, such as studio.designer
	Org     string  // the service owner that the service is, such as skd
	// Platform is the app that a PlatformAccessToken of the call names, whoever the caller is.
	Platform string
	// Chosen is the party that the user last chose in his session to act for, or 0. Whether he
	// may is asked anew, wherever it is used.
	Chosen int64
	// Issuer vouches for the caller, by its iss; empty for the local issuer and for API keys.
	Issuer string
	// IssuedTo is what the issuer calls him, its sub; empty when it is not believed for that.
	IssuedTo string
	// Managed says that the issuer is an authentication manager of others, by whose names for
	// people the services behind a gateway know them.
	Managed bool
	// Told is all that such a manager says of somebody, to be passed on and believed for nothing.
	Told map[string]json.RawMessage `json:",omitempty"`
	// Groups and Permissions are what the issuer says of him, sorted.
	Groups, Permissions []string
	// Consumer is the organisation number of whom Maskinporten gave a service its token.
	Consumer string
	// Granted are the scopes of other systems that a token carries, as it spells them.
	Granted []string
}

// AppDesigner is the app of the platform in which service owners write policies.
const AppDesigner = "studio.designer"

// Has reports whether c is a service with the scope, or with Admin.
func (c Caller) Has(s Scope) bool {
	return c.Kind == Service && (slices.Contains(c.Scopes, s) || slices.Contains(c.Scopes, Admin))
}

// Subject returns the user that a call is about. An end user asks about himself: asked
// is 0 or his own id, else the fault is Denied. A service must name the user.
func (c Caller) Subject(asked int64) (int64, error) {
	switch {
	case c.Kind == User && (asked == 0 || asked == c.UserID):
		return c.UserID, nil
	case c.Kind == User:
		return 0, fault.New(fault.Denied, fault.ReasonOtherUser, "a user may ask about himself only")
	case c.Kind == Service && asked != 0:
		return asked, nil
	case c.Kind == Service:
		e := fault.Field("user_id", "a service must say which user it asks about")
		e.Reason = fault.ReasonUserRequired
		return 0, e
	}
	return 0, fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
}

type contextKey struct{}

// With returns a context that carries c.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns the caller of ctx, nobody when it has none.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(contextKey{}).(Caller)
	return c
}
