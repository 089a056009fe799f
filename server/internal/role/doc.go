// Package role answers which roles a user has for a party.
//
// It owns one reading of the relation graph: the roles that the user holds on the party,
// on its main unit and on a sole trader's business, by himself or through an organisation
// in which he has a key role, together with all that these imply. The answer is the one
// that a check of has_<relation> gives for each role of the catalogue, from a handful of
// tuples instead of as many checks as there are roles; a test holds the two against each
// other on random worlds.
//
// It refuses who may ask (server/internal/rpc/role) and what a role opens (decisions). It
// keeps nothing between calls.
package role
