package store

import (
	"context"
	"errors"
	"fmt"
)

const (
	// maxGroup is how many writers are committed together.
	maxGroup = 256
	// maxGroupChanges is how many changes a group may have before it is closed: what others
	// wrote does not wait for a second large transaction.
	maxGroupChanges = 10_000
)

// job is a writer in the queue.
type job struct {
	turn      chan error    // unbuffered: nil is the writer's turn, an error that it gets none
	gone      chan struct{} // closed when the writer no longer waits for its turn
	ended     chan ending   // what became of its turn
	committed chan error    // what became of its group
}

func newJob() *job {
	return &job{
		turn: make(chan error), gone: make(chan struct{}),
		ended: make(chan ending, 1), committed: make(chan error, 1),
	}
}

// ending is what a writer leaves to its group. The zero ending is that of one that failed.
type ending struct {
	revision uint64 // the revision that it sealed, 0 for none
	note     note
	catalog  *catalog // nil when it is still the one before
	changes  int
	broken   error // the group's SQLite transaction is lost
}

// wait queues a writer and returns when it is its turn, or with an error.
func (s *Store) wait(ctx context.Context, j *job) error {
	if err := s.running(); err != nil {
		return err
	}
	select {
	case s.jobs <- j:
	case <-s.stop:
		return ErrClosed
	case <-ctx.Done():
		return goneError(ctx)
	}
	select {
	case err := <-j.turn:
		return err
	case <-s.stop:
		close(j.gone)
		return ErrClosed
	case <-ctx.Done():
		close(j.gone)
		return goneError(ctx)
	}
}

// commitLoop is the committer. It ends when the store is closed.
func (s *Store) commitLoop() {
	for {
		select {
		case j := <-s.jobs:
			s.group(j)
		case <-s.stop: // and so do those in the queue
			return
		}
	}
}

// group runs a job and those that are in the queue meanwhile, and commits them together.
func (s *Store) group(first *job) {
	start := s.w.position
	if err := s.w.begin(); err != nil {
		select {
		case first.turn <- err:
		case <-first.gone:
		}
		return
	}
	var (
		members []*job
		endings []ending
		broken  error
		changes int
	)
	for j := first; j != nil; {
		select {
		case j.turn <- nil:
			e := <-j.ended
			members = append(members, j)
			broken = e.broken
			changes += e.changes
			if e.revision != 0 {
				endings = append(endings, e)
			}
		case <-j.gone:
		}
		j = nil
		if broken == nil && len(members) < maxGroup && changes < maxGroupChanges {
			select {
			case j = <-s.jobs:
			default:
			}
		}
	}
	err := s.finish(start, endings, broken)
	for _, j := range members {
		j.committed <- err
	}
}

// finish commits and publishes a group, or undoes it.
func (s *Store) finish(start position, endings []ending, broken error) error {
	err := broken
	if err == nil {
		if err = s.w.commit(); err == nil {
			return s.publish(endings)
		}
		err = &writeError{"commit", err}
	} else {
		err = fmt.Errorf("%w: %w", ErrRetry, &writeError{"write with others", err})
	}
	s.graph.Drop()
	if undo := s.w.rollback(start); undo != nil {
		return errors.Join(err, undo)
	}
	return err
}

// publish shows what was committed.
func (s *Store) publish(endings []ending) error {
	if len(endings) == 0 {
		return nil
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	catalogs := *s.catalogs.Load()
	for _, e := range endings {
		if e.catalog != nil {
			catalogs = append(catalogs[:len(catalogs):len(catalogs)], dated{e.revision, e.catalog})
		}
		if e.note != (note{}) {
			e.note.revision = e.revision
			s.notes = append(s.notes, e.note)
		}
	}
	s.catalogs.Store(&catalogs)
	if err := s.graph.Publish(endings[len(endings)-1].revision); err != nil {
		// It is on the disk and cannot be shown: only a new start can make them equal.
		s.w.broken = fmt.Errorf("revision %d was committed and cannot be read, start the server again: %w", endings[len(endings)-1].revision, err)
		return s.w.broken
	}
	s.forget()
	return nil
}

// forget lets go what belongs to revisions that the graph no longer has. The caller holds
// publishing.
func (s *Store) forget() {
	oldest := s.graph.Oldest()
	n := 0
	for n < len(s.notes) && s.notes[n].revision <= oldest {
		n++
	}
	if n > 0 && n*2 > len(s.notes) {
		s.notes = append([]note(nil), s.notes[n:]...) // watchers may still read the old array
	}
	catalogs := *s.catalogs.Load()
	for n = 0; n+1 < len(catalogs) && catalogs[n+1].revision <= oldest; {
		n++
	}
	if n > 0 {
		rest := append([]dated(nil), catalogs[n:]...)
		s.catalogs.Store(&rest)
	}
}
