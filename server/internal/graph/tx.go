package graph

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrEnded is returned by a transaction that was sealed or dropped.
var ErrEnded = errors.New("the transaction has ended")

// ExistsError is returned by Tx.Create for a tuple that is there.
type ExistsError struct {
	Existing Tuple // as it is, payload included
}

// Error names the tuple.
func (e *ExistsError) Error() string {
	return fmt.Sprintf("the tuple %s exists", e.Existing)
}

// Tx is the open transaction. Its reads see its own writes. It is not safe for concurrent
// use, except that views may be read while it goes on. It must end with Seal or Drop.
type Tx struct {
	edit
	g       *Graph
	base    *Snapshot
	changes []change
	view    *Snapshot // what View returned, until the next write
	ended   bool
}

// Touch writes a tuple, whether or not it is there, and reports whether that changed
// anything.
func (tx *Tx) Touch(t Tuple) (bool, error) {
	return tx.write(&t, false)
}

// Create writes a tuple that must not be there; an *ExistsError says that it is, even if
// it has expired.
func (tx *Tx) Create(t Tuple) error {
	_, err := tx.write(&t, true)
	return err
}

func (tx *Tx) write(t *Tuple, create bool) (bool, error) {
	if tx.ended {
		return false, ErrEnded
	}
	if err := t.check(); err != nil {
		return false, err
	}
	resource, rel, subject, kind, err := tx.number(t)
	if err != nil {
		return false, fmt.Errorf("write tuple %s: %w", t, err)
	}
	old, found := tx.find(resource, rel, subject, kind)
	payload := t.payload()
	switch {
	case found && create:
		return false, &ExistsError{Existing: tx.tuple(resource, rel, subject, kind, old)}
	case found && payload.same(old):
		return false, nil
	}
	payload = payload.owned(tx.g.caveat)
	tx.view = nil
	sum := t.sum(payload)
	if found {
		sum -= t.sum(old)
	}
	tx.link(resource, rel, subject, kind, payload, found, sum)
	tx.changes = append(tx.changes, change{
		resource: resource, subject: subject, rel: rel, kind: kind, was: found, payload: payload, old: old,
	})
	return true, nil
}

// Delete removes a tuple, whatever its payload, and reports whether it was there.
func (tx *Tx) Delete(t Tuple) (bool, error) {
	if tx.ended {
		return false, ErrEnded
	}
	rel, ok1 := tx.words.rel(t.Resource.Type, t.Relation)
	kind, ok2 := tx.words.rel(t.Subject.Type, t.Subject.Relation)
	if !ok1 || !ok2 {
		return false, nil
	}
	resource, ok1 := tx.dict.find(tx.words.rels[rel].typ, t.Resource.ID, tx.dict.arena.end)
	subject, ok2 := tx.dict.find(tx.words.rels[kind].typ, t.Subject.ID, tx.dict.arena.end)
	if !ok1 || !ok2 {
		return false, nil
	}
	old, found := tx.find(resource, rel, subject, kind)
	if !found {
		return false, nil
	}
	tx.view = nil
	tx.unlink(resource, rel, subject, kind, t.sum(old))
	tx.changes = append(tx.changes, change{
		resource: resource, subject: subject, rel: rel, kind: kind, was: true, gone: true, old: old,
	})
	return true, nil
}

// number returns the numbers of a tuple's parts, giving new ones where needed.
func (tx *Tx) number(t *Tuple) (resource Node, rel Rel, subject Node, kind Rel, err error) {
	if rel, err = tx.word(t.Resource.Type, t.Relation); err != nil {
		return 0, 0, 0, 0, err
	}
	if kind, err = tx.word(t.Subject.Type, t.Subject.Relation); err != nil {
		return 0, 0, 0, 0, err
	}
	if resource, err = tx.object(tx.words.rels[rel].typ, t.Resource.ID); err != nil {
		return 0, 0, 0, 0, err
	}
	subject, err = tx.object(tx.words.rels[kind].typ, t.Subject.ID)
	return resource, rel, subject, kind, err
}

func (tx *Tx) word(typ, name string) (r Rel, err error) {
	tx.words, r, err = tx.words.with(typ, name)
	return r, err
}

func (tx *Tx) object(typ Type, id string) (Node, error) {
	if n, ok := tx.dict.find(typ, id, tx.dict.arena.end); ok {
		return n, nil
	}
	n, err := tx.dict.add(typ, id)
	if err != nil {
		return 0, err
	}
	tx.nodes, tx.end = tx.dict.nodes, tx.dict.arena.end
	return n, nil
}

// View returns the transaction's state as it is now. Later writes do not change a view, so
// that one may be read while the transaction goes on, though not after Drop; the first
// write after it costs more.
func (tx *Tx) View() *Snapshot {
	if tx.view == nil {
		tx.view = &Snapshot{state: tx.state, revision: tx.base.revision, at: tx.base.at}
		tx.renew(tx.g.epoch.Add(1))
	}
	return tx.view
}

// Base returns the snapshot that the transaction started from, published or not.
func (tx *Tx) Base() *Snapshot { return tx.base }

// Changed reports whether the transaction has changed anything.
func (tx *Tx) Changed() bool { return len(tx.changes) > 0 }

// Seal ends the transaction and gives it its revision, which must exceed every one before
// it, and its time. What it wrote waits for Graph.Publish; the next transaction already
// starts from it.
func (tx *Tx) Seal(revision uint64, at time.Time) (*Snapshot, error) {
	if tx.ended {
		return nil, ErrEnded
	}
	if revision <= tx.base.revision {
		return nil, fmt.Errorf("seal revision %d: the one before it is %d", revision, tx.base.revision)
	}
	s := &Snapshot{state: tx.state, revision: revision, at: at}
	tx.g.queue(s, fold(tx.changes))
	tx.close()
	return s, nil
}

// Drop undoes the transaction. It does nothing when the transaction has ended, so that it
// can be deferred.
func (tx *Tx) Drop() {
	if tx.ended {
		return
	}
	tx.dict.undo(tx.base.nodes, tx.base.end)
	tx.close()
}

// caveat returns the one copy of a caveat's name that all payloads share.
func (g *Graph) caveat(name string) string {
	if have, ok := g.caveats[name]; ok || name == "" {
		return have
	}
	name = strings.Clone(name)
	g.caveats[name] = name
	return name
}

// close lets the next transaction begin.
func (tx *Tx) close() {
	tx.ended = true
	tx.g.writer.Unlock()
}
