// Package decision answers whether a subject may do an action on a resource.
//
// It owns the context handler, which finds what a policy asks about a question, the order
// in which policy, delegations and access lists decide, what a decision tells about itself
// and what is recorded of it before it leaves. All that one call asks of the relation
// graph is answered at one revision.
//
// It refuses transports, the evaluation of policies (server/internal/xacml) and the truth
// of what it asks: parties, roles, packages, delegated rights, policies, instances and
// access lists are told by whoever is given to New. Whatever goes wrong, the decision is
// Indeterminate, which lets nobody in.
//
// server/internal/rpc/decision calls it.
package decision
