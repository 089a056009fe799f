package walk

// Definition is one definition of a schema.
type Definition struct {
	Name      string
	Relations []Relation
}

// Relation is a relation or a permission of a definition.
type Relation struct {
	Name     string
	Subjects []SubjectType // of a relation: the subjects that its tuples may have
	Expr     *Expr         // of a permission; nil for a relation
}

// SubjectType is a kind of subject that a relation allows.
type SubjectType struct {
	Type     string
	Relation string // empty for the objects themselves
	Wildcard bool   // the one tuple that stands for all objects of the type
}

// Op is an operator of an expression.
type Op uint8

// The operators. The zero Op is one that walks do not know.
const (
	Unknown      Op = iota
	Nil             // nobody
	Self            // the object itself
	Computed        // who has Relation on the same object
	Arrow           // who has Target on any subject of Relation
	All             // who has Target on all subjects of Relation, and there is one
	Union           // who is in any of Kids
	Intersection    // who is in all of Kids
	Exclusion       // who is in the first of Kids and in none of the others
)

// Expr is the expression of a permission.
type Expr struct {
	Op       Op
	Relation string
	Target   string
	Kids     []*Expr
}

// key returns a text that only expressions of the same meaning share, within a definition.
func (e *Expr) key() string {
	text := string(rune('0'+e.Op)) + e.Relation + "." + e.Target
	if len(e.Kids) == 0 {
		return text
	}
	for _, kid := range e.Kids {
		text += "(" + kid.key() + ")"
	}
	return text
}

// program is a relation or a permission as it is walked.
type program struct {
	index    int32
	def      *definition
	name     string
	subjects []SubjectType
	expr     *Expr
	circular bool   // by name alone it comes back to itself on the same object
	body     *union // nil when it is not compiled
	state    progress
}

type progress uint8

const (
	untouched progress = iota
	busy
	compiled
)

// definition is a definition's programs by name.
type definition struct {
	name   string
	byName map[string]*program
	subs   map[string]*sub // by what they say, so that a term is looked at once however often it is there
}

// union is the body of a program: whoever is in any of its terms. The programs of the same
// object that it adds up, at any depth, are folded into it, so that one pass over the
// object's tuples decides all of them. Those that are circular stay apart: only a walk sees
// where it comes back to.
//
// An offset is how many of SpiceDB's dispatches lie between the program and the one whose
// term it is: the walk must know when SpiceDB would give up.
type union struct {
	contains programs // the programs whose members are members, this one included
	self     bool
	direct   []directTerm
	arrows   []arrowTerm
	same     []directTerm // circular programs of the same object
	subs     []subTerm
	height   int // the greatest offset
}

type directTerm struct {
	relation *program
	offset   int
}

type arrowTerm struct {
	tupleset *program
	target   string
	offset   int
}

type subTerm struct {
	sub    *sub
	offset int
}

// sub is a term that is no union.
type sub struct {
	op       Op       // Intersection, Exclusion or All
	kids     []*union // not for All
	tupleset *program // for All
	target   string   // for All
}

// programs is a set of programs.
type programs []uint64

func (b *programs) add(i int32) {
	for int(i>>6) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[i>>6] |= 1 << (i & 63)
}

func (b *programs) merge(o programs) {
	for len(*b) < len(o) {
		*b = append(*b, 0)
	}
	for i, w := range o {
		(*b)[i] |= w
	}
}

func (b programs) has(i int32) bool {
	return i >= 0 && int(i>>6) < len(b) && b[i>>6]>>(i&63)&1 != 0
}
