// Package watch follows the changes of relationships on a Behalf server: who came to have a role,
// and who has it no longer.
//
//	for batch, err := range watch.Changes(ctx, client, watch.Query{From: remembered}) {
//		if err != nil {
//			return err
//		}
//		for _, change := range batch.Changes {
//			…
//		}
//		remembered = batch.Revision
//	}
//
// To keep a copy of something in step, take the first batch's revision, read what there is at least
// as fresh as that in a session that begins with it, and then apply the changes: each says what
// there is afterwards, so one that the reading has seen does no harm.
//
// The credentials need the scope behalf:relations.read. The server keeps ended relationships as long
// as its operator says; a revision from before that is refused, and the copy must be made anew.
//
// The package owns going on where a connection broke. It refuses to say what a change means for a
// permission, which follows from many relationships: ask again. It is apart from the client because
// it takes in SpiceDB's contract. Its callers are services.
package watch
