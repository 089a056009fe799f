package relation

import "time"

// Object names an object of the graph, such as party:50076451.
type Object struct{ Type, ID string }

// String returns type:id.
func (o Object) String() string { return o.Type + ":" + o.ID }

// Subject names an object, or with Relation all who have that relation to it.
type Subject struct {
	Object
	Relation string
}

// String returns type:id or type:id#relation.
func (s Subject) String() string {
	if s.Relation == "" {
		return s.Object.String()
	}
	return s.Object.String() + "#" + s.Relation
}

// Relationship is one tuple: the subject has the relation to the resource.
type Relationship struct {
	Resource Object
	Relation string
	Subject  Subject
	Expires  time.Time // when it ceases to hold; zero for never
}

// Revision is an opaque point in the history of the graph, a ZedToken. Revisions are
// not ordered as texts.
type Revision string

// At says which state an answer is about. The zero At sees every acknowledged write, unless
// an operator lets answers be older.
//
// With Exact or Time the answer is about the past, and what has expired is judged at that
// moment: the one asked about, or the one at which the revision was made. It is refused when
// that state is no longer kept, never answered from another one.
type At struct {
	AtLeast Revision  // see at least what this revision saw
	Latest  bool      // see every acknowledged write, whatever operators allow: something is written because of it
	Exact   Revision  // see what this revision saw and nothing else
	Time    time.Time // see what the last revision at or before this time saw
	Old     bool      // the caller may ask about what memory no longer has
}

// Past reports whether the answer is about the past.
func (a At) Past() bool { return a.Exact != "" || !a.Time.IsZero() }

// Question is one check.
type Question struct {
	Object     Object
	Permission string
	Subject    Subject
}

// Answer is the answer to one of several questions. The zero Answer is a denial.
type Answer struct {
	Allowed bool
	Err     error // why the question could not be answered; then Allowed is false
}

// Filter selects relationships. Empty fields select all; ResourceType is required.
type Filter struct {
	ResourceType string
	ResourceID   string
	Relation     string
	SubjectType  string
	SubjectID    string
}

// Op is what an update does. The zero Op does nothing and is refused.
type Op uint8

// The operations.
const (
	Touch  Op = iota + 1 // write the relationship, whether or not it exists
	Delete               // remove the relationship, if it exists
)

// Update is one change of the graph.
type Update struct {
	Op           Op
	Relationship Relationship
}
