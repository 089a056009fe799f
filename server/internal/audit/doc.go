// Package audit records what was decided, before the answer leaves.
//
// It owns the record of a decision, its two encodings (our own, and the event that Altinn's
// components put into their queue), and the sinks: the table that can be searched, in a file
// of its own or in Postgres; a file of JSON lines; standard output. It refuses to decide what
// becomes of an answer that no sink took: server/internal/decision, its caller, does not let
// it leave. server/internal/rpc/audit searches the records and adds those of checks and lists.
//
// # When a record is taken
//
// A sink has taken a record when it was written so that it survives the end of the process,
// however that comes about; and it is synced to the disk at most a tenth of a second later, so
// that a machine that loses power loses no more than that. With Config.Sync it is taken when it
// was synced. Records that come while the sink is busy are written and synced together, by the
// first of those who wait.
//
// Each question of a request is recorded on its own, also where the answer folds them into one
// decision. A write that fails is tried again with the next record. A sync that fails is not: what was
// written before may be lost and nobody can say which, so the sink stays closed, and the door
// with it, until the server is started again.
//
// The table in a file takes records by a journal, audit.db.new0 or audit.db.new1, and enters
// them together, which is tried again until it succeeds: the journal has them meanwhile, and
// nothing is permitted. A search enters them first, and so does a start after a crash.
//
// # National identity numbers
//
// No record holds one. The values of the attributes that carry them, and every run of eleven
// digits anywhere else that is a valid number, are written as "[hidden]": who it was, the user
// id and the party id say. Documents that a request carries as Content are left out.
package audit
