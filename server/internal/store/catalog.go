package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"

	"github.com/authzed/spicedb/pkg/datastore"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
)

// kind is a kind of definition, as the table has it.
type kind int

const (
	kindSchema kind = iota + 1
	kindObject
	kindCaveat
	kindCounter
)

// entry is one version of a definition. What it points to never changes.
type entry struct {
	kind    kind
	name    string
	written uint64
	schema  *datastore.ReadOnlyStoredSchema
	object  *core.NamespaceDefinition
	caveat  *core.CaveatDefinition
	counter *counter
}

// counter is a registered count of relationships.
type counter struct {
	filter *core.RelationshipFilter
	count  int
	at     uint64 // the revision that was counted at, 0 for never
}

// catalog is all definitions of one revision, by kind and name. Once published it never
// changes.
type catalog struct{ entries []entry }

func compareEntry(e entry, k kind, name string) int {
	return cmp.Or(cmp.Compare(e.kind, k), cmp.Compare(e.name, name))
}

func (c *catalog) place(k kind, name string) (int, bool) {
	return sort.Find(len(c.entries), func(i int) int { return -compareEntry(c.entries[i], k, name) })
}

func (c *catalog) find(k kind, name string) (entry, bool) {
	if i, ok := c.place(k, name); ok {
		return c.entries[i], true
	}
	return entry{}, false
}

// of returns all of one kind, by name.
func (c *catalog) of(k kind) []entry {
	first, _ := c.place(k, "")
	end, _ := c.place(k+1, "")
	return c.entries[first:end]
}

// named returns those of one kind and of some names that there are, by name and each once.
func (c *catalog) named(k kind, names []string) (found []entry) {
	for _, name := range distinct(names) {
		if e, ok := c.find(k, name); ok {
			found = append(found, e)
		}
	}
	return found
}

// hash returns the schema's hash, empty when there is none.
func (c *catalog) hash() string {
	if e, ok := c.find(kindSchema, ""); ok {
		return e.schema.Get().GetV1().GetSchemaHash()
	}
	return ""
}

// clone returns a copy that may be changed.
func (c *catalog) clone() *catalog { return &catalog{entries: slices.Clone(c.entries)} }

func (c *catalog) put(e entry) {
	i, ok := c.place(e.kind, e.name)
	if ok {
		c.entries[i] = e
		return
	}
	c.entries = slices.Insert(c.entries, i, e)
}

func (c *catalog) remove(k kind, name string) bool {
	i, ok := c.place(k, name)
	if ok {
		c.entries = slices.Delete(c.entries, i, i+1)
	}
	return ok
}

// difference calls f for every definition that two catalogs do not share: with what it was,
// and with what it is. One of them may be missing, and is then nil.
func difference(was, is *catalog, f func(was, is *entry) error) error {
	i, j := 0, 0
	for i < len(was.entries) || j < len(is.entries) {
		var a, b *entry
		c := 0
		switch {
		case i == len(was.entries):
			c = 1
		case j == len(is.entries):
			c = -1
		default:
			c = compareEntry(was.entries[i], is.entries[j].kind, is.entries[j].name)
		}
		if c <= 0 {
			a = &was.entries[i]
			i++
		}
		if c >= 0 {
			b = &is.entries[j]
			j++
		}
		if a != nil && b != nil && a.written == b.written {
			continue
		}
		if err := f(a, b); err != nil {
			return err
		}
	}
	return nil
}

// storedCounter is a counter's body.
type storedCounter struct {
	Filter []byte `json:"filter"` // a core.RelationshipFilter
	Count  int    `json:"count"`
	At     uint64 `json:"at"`
}

// body returns an entry as its row has it.
func (e *entry) body() ([]byte, error) {
	switch e.kind {
	case kindSchema:
		return e.schema.Get().MarshalVT()
	case kindObject:
		return e.object.MarshalVT()
	case kindCaveat:
		return e.caveat.MarshalVT()
	case kindCounter:
		filter, err := e.counter.filter.MarshalVT()
		if err != nil {
			return nil, err
		}
		return json.Marshal(storedCounter{filter, e.counter.count, e.counter.at})
	}
	return nil, fmt.Errorf("no kind of definition has number %d", e.kind)
}

// newEntry reads what body wrote.
func newEntry(k kind, name string, written uint64, body []byte) (entry, error) {
	e := entry{kind: k, name: name, written: written}
	switch k {
	case kindSchema:
		schema := &core.StoredSchema{}
		if err := schema.UnmarshalVT(body); err != nil {
			return e, err
		}
		e.schema = datastore.NewReadOnlyStoredSchemaWithSize(schema, len(body))
		return e, nil
	case kindObject:
		e.object = &core.NamespaceDefinition{}
		return e, e.object.UnmarshalVT(body)
	case kindCaveat:
		e.caveat = &core.CaveatDefinition{}
		return e, e.caveat.UnmarshalVT(body)
	case kindCounter:
		var stored storedCounter
		if err := json.Unmarshal(body, &stored); err != nil {
			return e, err
		}
		e.counter = &counter{filter: &core.RelationshipFilter{}, count: stored.Count, at: stored.At}
		return e, e.counter.filter.UnmarshalVT(stored.Filter)
	}
	return e, fmt.Errorf("no kind of definition has number %d", k)
}
