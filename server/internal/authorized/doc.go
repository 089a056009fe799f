// Package authorized answers for whom somebody may act and by what: roles, access packages,
// resources and instances, party by party.
//
// It owns how what is held comes together: what one has oneself, what one shares in as the
// holder of a key role in an organisation, what comes down from main units, and what was
// passed on by providers to their agents. It refuses to decide whether an action is
// permitted (server/internal/decision), and to write. server/internal/rpc/authorized serves
// it.
//
// # How it reads
//
// A list is read from the subject's side: the relationships that name him, those that name
// the organisations in which he holds a key role, and the sub-units of the units that these
// lead to. All readings of one list see one revision.
package authorized
