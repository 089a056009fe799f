package walk

// Verdict is what a walk says to a question. The zero Verdict is no answer.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota // the Reason says why; ask SpiceDB
	Denied
	Allowed
)

// truth is what is known of a term. The operators are those of Kleene's logic: a union is the
// most of its terms, an intersection the least.
type truth uint8

const (
	no   truth = iota
	open       // it rests on itself
	yes
)

// Reason says why a walk did not answer. The set is closed.
type Reason uint8

// The reasons.
const (
	Answered     Reason = iota
	NotCompiled         // the permission, or what it refers to, is not compiled
	UnknownName         // a name in the question is not one that the schema and the graph know
	Caveated            // a tuple that matters has a caveat
	TooDeep             // SpiceDB may give up for depth
	Cyclic              // an object is reached from itself, and what is asked depends on it
	WithWildcard        // a wildcard in a list that cannot say what it excludes
	Canceled            // the context is done
	TooMuch             // it takes too much work
	reasons             // how many there are
)

// String returns the reason as a metric's label.
func (r Reason) String() string {
	return [reasons]string{"answered", "schema", "name", "caveat", "depth", "cycle", "wildcard", "canceled", "work"}[r]
}

// Reasons returns all reasons.
func Reasons() []Reason {
	all := make([]Reason, reasons)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}
