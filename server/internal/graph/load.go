package graph

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotEmpty is returned when a graph that already has revisions is to be loaded.
var ErrNotEmpty = errors.New("only a graph without revisions can be loaded")

// Loader fills an empty graph with one revision, much faster than a transaction would. It
// holds the graph's writer from NewLoader to Finish or Drop.
type Loader struct {
	tx       *Tx
	rows     []loaded
	payloads []loadedPayload
	sum      uint64
	last     relationKey
	rel      Rel
	lastKind relationKey
	kind     Rel
	lastID   string
	lastType Type
	resource Node
}

// loaded is a tuple by numbers: the edge of its forward list and the resource.
type loaded struct {
	forward  Edge
	resource Node
}

type loadedPayload struct {
	row     int
	payload *Payload
}

type relationKey struct{ typ, name string }

// NewLoader begins to load the graph.
func (g *Graph) NewLoader() (*Loader, error) {
	tx := g.Begin()
	if tx.base.revision != 0 || tx.nodes != 0 {
		tx.Drop()
		return nil, ErrNotEmpty
	}
	return &Loader{tx: tx}, nil
}

// Add adds a tuple. Tuples may come in any order, each once; those of one resource should
// come together. The texts of t may be changed afterwards.
func (l *Loader) Add(t *Tuple) error {
	if l.tx.ended {
		return ErrEnded
	}
	if err := t.check(); err != nil {
		return err
	}
	subject, err := l.number(t)
	if err != nil {
		return fmt.Errorf("load tuple %s: %w", t, err)
	}
	payload := t.payload()
	if payload != nil {
		payload = payload.owned(l.tx.g.caveat)
		l.payloads = append(l.payloads, loadedPayload{len(l.rows), payload})
	}
	l.sum += t.sum(payload)
	l.rows = append(l.rows, loaded{MakeEdge(l.rel, l.kind, subject) | payload.mark(), l.resource})
	return nil
}

// number sets the numbers of the tuple's relation, kind and resource, which are often
// those of the tuple before, and returns its subject's.
func (l *Loader) number(t *Tuple) (subject Node, err error) {
	if key := (relationKey{t.Resource.Type, t.Relation}); key != l.last {
		if l.rel, err = l.tx.word(key.typ, key.name); err != nil {
			return 0, err
		}
		typ, name := l.tx.words.rels[l.rel], l.tx.words.types
		l.last = relationKey{name[typ.typ], typ.name} // texts of our own
	}
	if key := (relationKey{t.Subject.Type, t.Subject.Relation}); key != l.lastKind {
		if l.kind, err = l.tx.word(key.typ, key.name); err != nil {
			return 0, err
		}
		typ, name := l.tx.words.rels[l.kind], l.tx.words.types
		l.lastKind = relationKey{name[typ.typ], typ.name}
	}
	if typ := l.tx.words.rels[l.rel].typ; typ != l.lastType || t.Resource.ID != l.lastID {
		if l.resource, err = l.tx.object(typ, t.Resource.ID); err != nil {
			return 0, err
		}
		l.lastType, l.lastID = l.tx.dict.name(l.resource)
	}
	return l.tx.object(l.tx.words.rels[l.kind].typ, t.Subject.ID)
}

// Len returns how many tuples were added.
func (l *Loader) Len() int { return len(l.rows) }

// Finish builds the graph and publishes it as a revision. A tuple that was added twice is
// an *ExistsError. After an error the graph is empty.
func (l *Loader) Finish(revision uint64, at time.Time) (*Snapshot, error) {
	if l.tx.ended {
		return nil, ErrEnded
	}
	defer l.Drop()
	if revision == 0 {
		return nil, errors.New("load: revision 0 is that of the empty graph")
	}
	s, err := l.build()
	if err != nil {
		return nil, err
	}
	s.revision, s.at = revision, at
	g := l.tx.g
	g.chain.Lock()
	g.history.reset(s)
	g.head.Store(s)
	g.history.wake()
	g.chain.Unlock()
	l.tx.close()
	return s, nil
}

// Drop gives up. It does nothing after Finish, so that it can be deferred.
func (l *Loader) Drop() {
	l.tx.Drop()
	l.rows, l.payloads = nil, nil
}
