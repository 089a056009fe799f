// Package policy keeps the policies that decide about apps, resources and types of
// objects: it is the point where they are administered and the point where decisions
// retrieve them.
//
// It owns the rule that a text never changes and is named by its hash, while which text is
// current is a relationship: policy:<ref>#current@policy_text:<hash>. One revision so fixes
// relations and policy together, on every node, and an upload, a rollback and a deletion
// are writes like any other. It owns what is checked when a policy is uploaded, and what a
// policy says to readers who do not decide. It refuses to evaluate (server/internal/xacml
// does), SQL (server/internal/records) and SpiceDB (server/internal/engine).
// server/internal/rpc/policy calls it, and server/internal/decision for Current.
//
// # How a write is made
//
// The text is kept first, by itself: rows and relationships are not seen at the same
// instant on Postgres, and a relationship must never name a text that is not there yet. A
// text that no relationship names is harmless. Then one transaction compares the latest
// change, which is what is current, with what the writer expects, notes the new one and
// writes the relationship. The history decides, because transactions that are committed
// together see each other's rows and not each other's relationships.
package policy
