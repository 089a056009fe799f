// Package engine embeds SpiceDB and answers the relation graph's questions through it.
//
// It owns SpiceDB's configuration, its start and stop, the revision at which a call is
// answered, the translation of its errors into faults, and the one way in which Behalf's
// own definitions get into the live schema. SpiceDB is called in process, through its own
// service objects and data layer, which are captured once at start: the connection that it
// listens on exists in memory only and carries no traffic afterwards.
//
// What the graph can answer does not get to SpiceDB; nor does what SpiceDB would go round and
// round in, since an object or a permission is reached from itself; and what it reads for one
// question has a bound.
//
// It refuses policy: it does not know who asks, and any object of any definition may be
// asked about. It refuses consistency levels below "sees every acknowledged write".
//
// Domain packages ask it questions; server/internal/rpc/authzed serves the captured
// services; nothing else imports SpiceDB's server packages.
package engine
