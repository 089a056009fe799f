package store

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/tuples"
)

// slowWatcher is how long a watcher whose buffer is full may take by default.
const slowWatcher = time.Second

// Watch tells what every revision after one has changed, in their order. What memory no
// longer has is read from the file, so that a watcher may resume from any revision that is
// kept there, over a restart as well.
func (s *Store) Watch(ctx context.Context, after datastore.Revision, o datastore.WatchOptions) (<-chan datastore.RevisionChanges, <-chan error) {
	buffer := s.cfg.WatchBuffer
	if o.WatchBufferLength != 0 {
		buffer = int(o.WatchBufferLength)
	}
	w := &watcher{
		s: s, content: o.Content, patience: o.WatchBufferWriteTimeout,
		events: make(chan datastore.RevisionChanges, buffer),
	}
	if w.patience == 0 {
		w.patience = slowWatcher
	}
	faults := make(chan error, 1)
	from, ok := numberOf(after)
	switch {
	case o.EmissionStrategy == datastore.EmitImmediatelyStrategy:
		faults <- errors.New("emit immediately strategy is unsupported: whole revisions are sent")
		close(w.events)
		return w.events, faults
	case !ok:
		faults <- datastore.NewInvalidRevisionErr(after, datastore.CouldNotDetermineRevision)
		close(w.events)
		return w.events, faults
	}
	w.at = from
	go func() {
		defer close(faults)
		defer close(w.events)
		faults <- w.run(ctx)
	}()
	return w.events, faults
}

// watcher is one Watch.
type watcher struct {
	s        *Store
	content  datastore.WatchContent
	patience time.Duration
	events   chan datastore.RevisionChanges
	at       uint64 // everything up to here was sent
}

func (w *watcher) run(ctx context.Context) error {
	for {
		changed := w.s.graph.Changed() // before the log is read, so that nothing is missed
		more, err := w.send(ctx)
		switch {
		case ctx.Err() != nil:
			return datastore.NewWatchCanceledErr()
		case err != nil:
			return err
		case more:
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return datastore.NewWatchCanceledErr()
		case <-w.s.stop:
			return ErrClosed
		}
	}
}

// send sends what there is now, a part of it when it comes from the file.
func (w *watcher) send(ctx context.Context) (more bool, err error) {
	commits, notes, err := w.s.log(w.at)
	switch {
	case errors.Is(err, graph.ErrNotYet):
		return false, datastore.NewInvalidRevisionErr(revision(w.at), datastore.CouldNotDetermineRevision)
	case errors.Is(err, graph.ErrTooOld):
		return true, w.sendFiled(ctx)
	case err != nil:
		return false, err
	}
	from := w.at
	for _, c := range commits {
		if err := w.sendCommit(ctx, c, noteOf(notes, c.Revision())); err != nil {
			return false, err
		}
	}
	return false, w.checkpoint(ctx, from)
}

// log returns what happened after a revision.
func (s *Store) log(after uint64) ([]*graph.Commit, []note, error) {
	s.publishing.RLock()
	defer s.publishing.RUnlock()
	commits, err := s.graph.Log(after)
	return commits, s.notes, err
}

func noteOf(notes []note, r uint64) note {
	i := sort.Search(len(notes), func(i int) bool { return notes[i].revision >= r })
	if i < len(notes) && notes[i].revision == r {
		return notes[i]
	}
	return note{}
}

func (w *watcher) sendCommit(ctx context.Context, c *graph.Commit, n note) error {
	event := datastore.RevisionChanges{Revision: revision(c.Revision())}
	if w.content&datastore.WatchRelationships != 0 {
		event.RelationshipChanges = make([]tuple.RelationshipUpdate, 0, c.Len())
		for u := range c.Updates() {
			update, err := updateOf(&u)
			if err != nil {
				return err
			}
			event.RelationshipChanges = append(event.RelationshipChanges, update)
		}
	}
	return w.sendEvent(ctx, event, n)
}

func updateOf(u *graph.Update) (tuple.RelationshipUpdate, error) {
	r, err := tuples.FromGraph(&u.Tuple)
	if err != nil {
		return tuple.RelationshipUpdate{}, err
	}
	if u.Op == touch {
		return tuple.Touch(r), nil
	}
	return tuple.Delete(r), nil
}

// sendEvent sends the event of a revision, unless it says nothing that the watcher asked
// for.
func (w *watcher) sendEvent(ctx context.Context, event datastore.RevisionChanges, n note) error {
	if n.schema != nil && w.content&datastore.WatchSchema != 0 {
		event.ChangedDefinitions = n.schema.definitions
		event.DeletedNamespaces = n.schema.objects
		event.DeletedCaveats = n.schema.caveats
	}
	if n.metadata != nil {
		event.Metadatas = []*structpb.Struct{n.metadata}
	}
	r, _ := event.Revision.(revision)
	if len(event.RelationshipChanges)+len(event.ChangedDefinitions)+len(event.DeletedNamespaces)+len(event.DeletedCaveats) > 0 {
		if err := w.push(ctx, event); err != nil {
			return err
		}
	}
	w.at = uint64(r)
	return nil
}

// checkpoint says that everything was sent up to here, when that is news.
func (w *watcher) checkpoint(ctx context.Context, from uint64) error {
	if w.at == from || w.content&datastore.WatchCheckpoints == 0 {
		return nil
	}
	return w.push(ctx, datastore.RevisionChanges{Revision: revision(w.at), IsCheckpoint: true})
}

// push hands an event over, and gives up on a watcher that does not keep pace.
func (w *watcher) push(ctx context.Context, event datastore.RevisionChanges) error {
	select {
	case w.events <- event:
		return nil
	default:
	}
	timer := time.NewTimer(w.patience)
	defer timer.Stop()
	select {
	case w.events <- event:
		return nil
	case <-timer.C:
		return datastore.NewWatchDisconnectedErr()
	case <-ctx.Done():
		return fmt.Errorf("hand over an event: %w", context.Cause(ctx))
	}
}
