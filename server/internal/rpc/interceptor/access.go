package interceptor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonMethodUnknown is given when the server has no such method.
const ReasonMethodUnknown fault.Reason = "METHOD_UNKNOWN"

// Rule says who may call a method. The zero Rule is nobody.
type Rule struct {
	public   bool         // anybody, without credentials
	users    bool         // end users
	services bool         // services, whatever their scopes
	scope    caller.Scope // services with the scope, when services is false
	other    caller.Scope // or with this one
	app      string       // or the platform's app of this name
	platform bool         // or any part of the platform, whoever it calls for
	gateway  bool         // the server's own gateway and nobody else, admins neither

	uncounted bool // by the rate of calls, for probes and for what leads to a call that is counted
}

// Public is the rule of a method that needs no credentials. Credentials that come along
// are not looked at, so that a stale token does not make a health check fail.
func Public() Rule { return Rule{public: true} }

// Uncounted is the rule of a public method whose calls are not counted by anybody's rate.
func Uncounted() Rule { return Rule{public: true, uncounted: true} }

// AnyCaller is the rule of a method that is open to every end user and every service.
func AnyCaller() Rule { return Rule{users: true, services: true} }

// UserOr is the rule of a method that is open to end users, who ask about themselves, and
// to services with the scope.
func UserOr(s caller.Scope) Rule { return Rule{users: true, scope: s} }

// ServiceScope is the rule of a method that is open to services with the scope only.
func ServiceScope(s caller.Scope) Rule { return Rule{scope: s} }

// EitherScope is the rule of a method that is open to services with one of two scopes only.
func EitherScope(s, other caller.Scope) Rule { return Rule{scope: s, other: other} }

// ScopeOrApp is the rule of a method that is open to services with the scope, and to an app
// of the platform by its name.
func ScopeOrApp(s caller.Scope, app string) Rule { return Rule{scope: s, app: app} }

// ScopeOrPlatform is the rule of a method that is open to services with the scope, and to
// every part of the platform that says which it is.
func ScopeOrPlatform(s caller.Scope) Rule { return Rule{scope: s, platform: true} }

// GatewayOnly is the rule of a method that believes what the server's own gateway tells of
// its clients. Nobody else may tell: not even an admin's key opens it.
func GatewayOnly() Rule { return Rule{gateway: true, scope: caller.Gateway} }

// allows returns why the caller may not call, nil when he may.
func (r Rule) allows(c caller.Caller) error {
	switch {
	case r.gateway && c.Kind == caller.Service && !slices.Contains(c.Scopes, caller.Gateway):
		return fault.New(fault.Denied, fault.ReasonScopeMissing, "the call is open to the server's own gateway only").
			With("scope", string(caller.Gateway))
	case r.public, r.platform && c.Platform != "", r.users && c.Kind == caller.User, r.services && c.Kind == caller.Service:
		return nil
	case c.Kind == caller.User:
		return fault.New(fault.Denied, fault.ReasonServicesOnly, "the call is open to services only")
	case c.Kind == caller.Service && r.scope != "" && c.Has(r.scope),
		c.Kind == caller.Service && r.other != "" && c.Has(r.other),
		c.Kind == caller.Service && r.app != "" && c.App == r.app:
		return nil
	case c.Kind == caller.Service:
		return fault.New(fault.Denied, fault.ReasonScopeMissing, "the call needs the scope %s", r.scope).
			With("scope", string(r.scope))
	}
	return fault.New(fault.Unauthenticated, fault.ReasonCredentialsMissing, "the call carries no credentials")
}

// Access is the rule of every method, by its full name. A method without one is closed.
type Access map[string]Rule

// Scopes returns the table of methods that are open to services with a scope only.
func Scopes(methods map[string]caller.Scope) Access {
	a := make(Access, len(methods))
	for method, scope := range methods {
		a[method] = ServiceScope(scope)
	}
	return a
}

// Merge returns the rows of all tables. Two rows of one method are an error: no table may
// change what another says.
func Merge(tables ...Access) (Access, error) {
	all := make(Access)
	for _, table := range tables {
		for method, rule := range table {
			if _, twice := all[method]; twice {
				return nil, fmt.Errorf("the access table has two rows of %s", method)
			}
			all[method] = rule
		}
	}
	return all, nil
}

// Covers returns an error that names every registered method without a rule, or with one
// that lets nobody in. A server must not start with one.
func (a Access) Covers(services map[string]grpc.ServiceInfo) error {
	var missing []error
	for _, service := range slices.Sorted(maps.Keys(services)) {
		for _, m := range services[service].Methods {
			if method := "/" + service + "/" + m.Name; a[method] == (Rule{}) {
				missing = append(missing, fmt.Errorf("the access table has no row of %s", method))
			}
		}
	}
	return errors.Join(missing...)
}

// access lets the call in or refuses it.
func (c *Chain) access(ctx context.Context, k *call, next func(context.Context) error) error {
	if !k.known {
		// Covers has seen to it that every registered method has a rule.
		return fault.New(fault.Unimplemented, ReasonMethodUnknown, "the server has no such method")
	}
	if err := k.rule.allows(caller.From(ctx)); err != nil {
		return err
	}
	return next(ctx)
}

// UnknownMethod handles methods that are not registered, as grpc.UnknownServiceHandler:
// with it they pass the chain, and leave an event, like all others.
func UnknownMethod(any, grpc.ServerStream) error {
	return fault.New(fault.Unimplemented, ReasonMethodUnknown, "the server has no such method")
}
