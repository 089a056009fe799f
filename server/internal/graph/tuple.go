package graph

import (
	"fmt"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Tuple is a relationship with all that the graph keeps of it. Two tuples that agree in
// resource, relation and subject are the same tuple; the rest is its payload.
type Tuple struct {
	relation.Relationship
	Caveat  string // the name of its caveat, empty for none
	Context string // the caveat's context, in the store's encoding
	Note    string // whatever else the store keeps with it
}

// String returns resource#relation@subject.
func (t Tuple) String() string {
	return t.Resource.String() + "#" + t.Relation + "@" + t.Subject.String()
}

// payload returns the payload of t, nil when it has none.
func (t *Tuple) payload() *Payload {
	if t.Expires.IsZero() && t.Caveat == "" && t.Context == "" && t.Note == "" {
		return nil
	}
	p := &Payload{Caveat: t.Caveat, Context: t.Context, Note: t.Note}
	if !t.Expires.IsZero() {
		p.Expires = t.Expires.Round(0).UTC() // without the monotonic reading, so that == compares
	}
	return p
}

// check refuses a tuple that cannot be kept.
func (t *Tuple) check() error {
	switch {
	case t.Resource.Type == "" || t.Resource.ID == "":
		return fmt.Errorf("tuple %s: the resource lacks its type or its id", t)
	case t.Relation == "":
		return fmt.Errorf("tuple %s: the relation is missing", t)
	case t.Subject.Type == "" || t.Subject.ID == "":
		return fmt.Errorf("tuple %s: the subject lacks its type or its id", t)
	case len(t.Resource.ID) > maxID || len(t.Subject.ID) > maxID:
		return fmt.Errorf("tuple %.80s…: an id has at most %d bytes", t, maxID)
	}
	return nil
}

// Payload is what a tuple has beyond its ends. It is shared by snapshots and must not be
// changed.
type Payload struct {
	Expires time.Time // zero for never
	Caveat  string    // empty for none
	Context string
	Note    string
}

// Holds reports whether the tuple has not expired at an instant. A tuple ceases to hold at
// the instant of its expiry. A nil payload always holds.
func (p *Payload) Holds(at time.Time) bool {
	return p == nil || p.Expires.IsZero() || at.Before(p.Expires)
}

// mark returns the mark that an edge with this payload bears.
func (p *Payload) mark() Edge {
	switch {
	case p == nil:
		return markPlain
	case p.Caveat != "":
		return markCaveated
	case !p.Expires.IsZero():
		return markExpires
	}
	return markNoted
}

// same reports whether two payloads are equal.
func (p *Payload) same(o *Payload) bool {
	return p == o || p != nil && o != nil && *p == *o
}

// owned returns p with texts of its own, so that it keeps no caller's buffer alive.
func (p *Payload) owned(intern func(string) string) *Payload {
	if p == nil {
		return nil
	}
	c := *p
	c.Caveat = intern(p.Caveat)
	c.Context = strings.Clone(p.Context)
	c.Note = strings.Clone(p.Note)
	return &c
}
