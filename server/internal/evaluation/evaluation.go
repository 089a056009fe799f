package evaluation

import (
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Entity is a subject or a resource.
type Entity struct {
	Type, ID   string
	Properties map[string]any // values of JSON
}

// Action is what is done.
type Action struct {
	Name       string
	Properties map[string]any
}

// Question is whether the subject may do the action on the resource.
type Question struct {
	Subject  Entity
	Action   Action
	Resource Entity
	Context  map[string]any
	Fault    error // why it cannot be asked, nil if it can
}

// Answer is the answer to a question. The zero Answer lets nobody in.
type Answer struct {
	Permitted   bool
	Reason      string // why, in one line
	By          string // policy, delegation, access-list or relation; "" if nothing decided
	Policy      string // hash of the policy's text, "" if none was asked
	Obligations []xacml.Obligation
	Advice      []xacml.Obligation
	Err         error // why the question could not be answered; then nobody is let in
}

// ByRelation is what decided where the relation graph did.
const ByRelation = "relation"

// Semantic says how far several questions are answered.
type Semantic uint8

// The semantics. The zero Semantic answers all.
const (
	ExecuteAll          Semantic = iota
	DenyOnFirstDeny              // ends with the first answer that lets nobody in
	PermitOnFirstPermit          // ends with the first answer that lets somebody in
)

// ends reports whether an answer is the last one.
func (s Semantic) ends(a *Answer) bool {
	switch s {
	case DenyOnFirstDeny:
		return !a.Permitted
	case PermitOnFirstPermit:
		return a.Permitted
	case ExecuteAll:
	}
	return false
}

// Page says which part of a list is wanted.
type Page struct {
	Token string
	Limit *int // nil: that of the part before, or the greatest
}

// Found is what a search found.
type Found struct {
	Type, ID    string // of an action, the ID is its name
	Obligations []xacml.Obligation
}

// List is a part of a list.
type List struct {
	Results  []Found
	Next     string // the token of the next part, "" at the end
	Revision relation.Revision
}
