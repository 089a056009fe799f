// Package evaluation answers questions in the terms of OpenID AuthZEN: may a subject of a
// type do an action on a resource of a type, and who or what else may.
//
// It owns the rule by which such a question is answered. If a policy is stored for the
// resource, server/internal/decision answers, and properties and context are attributes;
// else, if the live schema has a definition of the resource's type with a permission or
// relation of the action's name, the relation graph answers, and they are the context of
// caveats; else the answer is no. It owns how types, ids and properties become attributes
// and objects, and the searches, whose every result is confirmed by that rule at the
// revision of the search.
//
// It refuses transports, and to decide itself. Whatever goes wrong, nobody is let in.
//
// server/internal/rpc/evaluation calls it.
package evaluation
