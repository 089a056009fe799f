// Package registry keeps what decisions refer to beside parties: system users, access lists
// and resources.
//
// It owns their rules, the relationships that follow from them — the owner of a system user,
// the members of an access list — and what imports and exports say of them. Rows and
// relationships are written in one transaction. It refuses parties and roles
// (server/internal/register), delegation, policies, and SQL (server/internal/records).
// server/internal/rpc/registry serves it, server/internal/decision asks it whether a list
// opens a resource, and server/internal/register hands it the entries of an import and asks
// it before a party goes.
//
// # What a decision sees
//
// Membership is read from the relationships, at the revision of the decision. Which
// resources a list opens, and whether a resource is open to members only, are records:
// they are read as they are now.
package registry
