// Package delegation lets parties pass on what they have: single rights, access packages,
// and packages of clients that a provider passes on to its agents. It answers decisions
// what was delegated to whom.
//
// It owns the rules of who may pass on what to whom, and who may take it back. It refuses
// SQL (server/internal/records), the tuples that follow from what is delegated and the turn
// in which they are written (server/internal/register), and the evaluation of policies
// (server/internal/xacml). server/internal/rpc/delegation calls it, and the composition root
// gives it to server/internal/decision.
//
// # Who may pass on what
//
// A user passes on for a party that he administers, and of it no more than the catalogue or
// the resource's policy lets him: a package by a role that may delegate it, which is not
// every role that may use it, nor the other way; a right that the policy permits him by his
// roles, or by a package that he may delegate. A service that acts in its own name passes on
// anything that can be passed on.
//
// All of that is asked in the turn in which the grant is written, so that no write of the
// same server takes away what was found. Once given, a right stands on its own: the giver
// may lose his. A package of a client does not: see server/internal/register.
package delegation
