// Package authzed serves authzed.api.v1, SpiceDB's own API, on Behalf's port.
//
// It owns what lies between Behalf's interceptors and SpiceDB's service objects: all that
// SpiceDB's own server does around a call (request ids, data layer, consistency,
// validation, trailers), the guard over Behalf's own definitions, the buffer that keeps an
// import's open stream away from the writer, and who may read an exact snapshot that memory
// no longer has: administrators. It also says which scope each method needs;
// server/internal/rpc/interceptor enforces that before a call gets here.
//
// It refuses to change answers: what passes the guard is answered by the captured objects,
// to the byte, or from the graph by a walk that answers the same; a page that a walk began
// is continued by it. One thing differs on purpose: a token or cursor of another datastore,
// such as the one that a backup was taken of, is refused as INVALID_REVISION, where SpiceDB
// answers a read at least as fresh as such a token fully consistent, reads on after such a
// cursor, and has no code for such an exact snapshot. The composition root registers it on both of its channels.
package authzed
