package engine

import (
	"cmp"
	"fmt"
	"slices"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"google.golang.org/protobuf/proto"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// Change is one thing by which a wanted schema differs from the live one.
type Change struct {
	What    string // such as "relation removed"
	Of      string // such as document#reader
	Touches int64  // live relationships that it is about
	Orphans int64  // of those, how many it would leave without a place

	shapes []relation.Shape // of the relationships that it is about
}

// Difference is all by which a wanted schema differs from the live one.
type Difference struct {
	Changes []Change
	Renames []relations.Rename // those that are not done yet

	permitted map[relation.Shape]bool // what the wanted schema allows
	count     []relation.Shape        // what has to be counted
}

// Compare returns what lies between two schemas. Renames that are done already are left
// out; those that cannot be are faults. Relationships are not counted yet.
func Compare(live, wanted *Schema, declared []relations.Rename) (*Difference, error) {
	d := &Difference{permitted: wanted.allowed()}
	for _, r := range declared {
		done, err := renamed(live, wanted, r)
		if err != nil {
			return nil, err
		}
		if !done {
			d.Renames = append(d.Renames, r)
		}
	}
	d.definitions(live, wanted)
	d.caveats(live, wanted)
	slices.SortFunc(d.Changes, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.What, b.What)) })
	for _, c := range d.Changes {
		d.count = append(d.count, c.shapes...)
	}
	for s := range live.allowed() { // subjects of a renamed relation move, whatever holds them
		if renames(d.Renames).shape(s) != s {
			d.count = append(d.count, s)
		}
	}
	return d, nil
}

// renamed reports whether a rename is done already, and why it cannot be done.
func renamed(live, wanted *Schema, r relations.Rename) (done bool, err error) {
	refuse := func(format string, args ...any) (bool, error) {
		return false, fault.New(fault.Precondition, ReasonSchemaConflict, "rename %s: "+format, append([]any{r}, args...)...)
	}
	was, is := live.objects[r.Definition], wanted.objects[r.Definition]
	switch {
	case is == nil:
		return refuse("the wanted definitions have no definition %s", r.Definition)
	case !isRelation(find(is, r.New)):
		return refuse("the wanted definition %s has no relation %s", r.Definition, r.New)
	case isRelation(find(is, r.Old)):
		return refuse("the wanted definition %s has relation %s too", r.Definition, r.Old)
	case was == nil || find(was, r.Old) == nil && find(was, r.New) != nil:
		return true, nil
	case !isRelation(find(was, r.Old)):
		return refuse("the live definition %s has no relation %s", r.Definition, r.Old)
	case find(was, r.New) != nil:
		return refuse("the live definition %s has %s already", r.Definition, r.New)
	}
	return false, nil
}

// find returns the relation or permission of that name, nil when there is none.
func find(d *core.NamespaceDefinition, name string) *core.Relation {
	for _, r := range d.GetRelation() {
		if r.GetName() == name {
			return r
		}
	}
	return nil
}

// isRelation reports whether r is one that relationships are of.
func isRelation(r *core.Relation) bool { return r != nil && r.GetUsersetRewrite() == nil }

func (d *Difference) add(what, of string, about ...relation.Shape) {
	d.Changes = append(d.Changes, Change{What: what, Of: of, shapes: about})
}

// definitions adds what becomes of definitions.
func (d *Difference) definitions(live, wanted *Schema) {
	for name, was := range live.objects {
		if wanted.objects[name] != nil {
			continue
		}
		var all []relation.Shape
		for _, r := range was.GetRelation() {
			all = append(all, shapes(name, r)...)
		}
		d.add("definition removed", name, all...)
	}
	for name, is := range wanted.objects {
		was := live.objects[name]
		switch {
		case was == nil:
			d.add("definition added", name)
		case !live.sameObject(is):
			before := len(d.Changes)
			if d.relations(canonical(was), canonical(is)); len(d.Changes) == before {
				d.add("definition changed", name)
			}
		}
	}
}

// relations adds what becomes of the relations and permissions of a definition.
func (d *Difference) relations(was, is *core.NamespaceDefinition) {
	definition, moved := was.GetName(), make(map[string]bool)
	for _, old := range was.GetRelation() {
		name := old.GetName()
		target := renames(d.Renames).of(definition, name)
		if target != name {
			moved[target] = true
			d.add("relation renamed", definition+"#"+name+"="+target, shapes(definition, old)...)
		}
		d.relation(definition, old, find(is, target))
	}
	for _, r := range is.GetRelation() {
		if find(was, r.GetName()) == nil && !moved[r.GetName()] {
			d.add(kindOf(r)+" added", definition+"#"+r.GetName())
		}
	}
}

func kindOf(r *core.Relation) string {
	if isRelation(r) {
		return "relation"
	}
	return "permission"
}

// relation adds what becomes of one relation or permission; is may be nil.
func (d *Difference) relation(definition string, was, is *core.Relation) {
	name := definition + "#" + was.GetName()
	switch {
	case is == nil:
		d.add(kindOf(was)+" removed", name, shapes(definition, was)...)
	case isRelation(was) != isRelation(is):
		d.add(kindOf(was)+" removed", name, shapes(definition, was)...)
		d.add(kindOf(is)+" added", name)
	case !isRelation(was):
		if !proto.Equal(was.GetUsersetRewrite(), is.GetUsersetRewrite()) {
			d.add("permission expr changed", name)
		}
	default:
		d.types(name, shapes(definition, was), shapes(definition, is))
	}
}

// types adds what becomes of the types of a relation.
func (d *Difference) types(name string, was, is []relation.Shape) {
	all := make(map[relation.Shape]bool, len(was))
	for _, s := range was {
		becomes := renames(d.Renames).shape(s)
		all[becomes] = true
		switch {
		case !slices.Contains(is, becomes):
			d.add("relation subject type removed", name+" "+s.Type(), s)
		case becomes.SubjectRelation != s.SubjectRelation:
			d.add("relation subject type renamed", name+" "+s.Type(), s)
		}
	}
	for _, s := range is {
		if !all[s] {
			d.add("relation subject type added", s.Name()+" "+s.Type())
		}
	}
}

// caveats adds what becomes of caveats. Which relationships carry one does not change: the
// types of relations say so.
func (d *Difference) caveats(live, wanted *Schema) {
	for name := range live.caveats {
		if wanted.caveats[name] == nil {
			d.add("caveat removed", name)
		}
	}
	for name, is := range wanted.caveats {
		switch {
		case live.caveats[name] == nil:
			d.add("caveat added", name)
		case !live.sameCaveat(is):
			var all []relation.Shape
			for s := range live.allowed() {
				if s.Caveat == name {
					all = append(all, s)
				}
			}
			d.add("caveat changed", name, all...)
		}
	}
}

// Census is how many live relationships there are of each shape.
type Census map[relation.Shape]int64

// Count counts how many live relationships each change is about, asking for one relation at
// a time.
func (d *Difference) Count(of func(definition, name string) (Census, error)) error {
	whole := make(Census)
	for _, name := range d.counted() {
		census, err := of(name[0], name[1])
		if err != nil {
			return err
		}
		for s, n := range census {
			whole[s] += n
		}
	}
	d.judge(whole)
	return nil
}

// judge sets how many live relationships each change is about.
func (d *Difference) judge(census Census) {
	for i := range d.Changes {
		c := &d.Changes[i]
		c.Touches, c.Orphans = 0, 0
		for _, s := range c.shapes {
			c.Touches += census[s]
			if !d.permitted[renames(d.Renames).shape(s)] {
				c.Orphans += census[s]
			}
		}
		if c.What == "relation renamed" {
			c.Orphans = 0 // the change of its types says so
		}
	}
}

// counted returns the relations whose relationships have to be counted.
func (d *Difference) counted() [][2]string {
	var all [][2]string
	for _, s := range d.count {
		all = append(all, [2]string{s.Resource, s.Relation})
	}
	slices.SortFunc(all, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return slices.Compact(all)
}

// Orphans returns the fault of a difference that would leave relationships without a place,
// nil when there is none.
func (d *Difference) Orphans() error {
	var (
		total int64
		text  string
	)
	for _, c := range d.Changes {
		if c.Orphans > 0 {
			total += c.Orphans
			text += fmt.Sprintf("; %s %s: %d", c.What, c.Of, c.Orphans)
		}
	}
	if total == 0 {
		return nil
	}
	return fault.New(fault.Precondition, ReasonSchemaConflict, "%d live relationships would be left without a place; nothing was changed: "+
		"export them, delete them, apply the definitions, and write them again as the new definitions have them%s", total, text)
}
