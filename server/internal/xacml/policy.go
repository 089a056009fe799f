package xacml

// Policy is a compiled Policy or PolicySet. It is immutable.
type Policy struct {
	id          PolicyID
	description string
	line        int
	target      target
	algorithm   algorithm
	children    []child
	duties      []duty
	lookup      *lookup // nil if only the general evaluator can decide
	uses        []AttributeUse
	warnings    []Fault
}

// ID returns the identifier and version.
func (p *Policy) ID() PolicyID { return p.id }

// Description returns the description.
func (p *Policy) Description() string { return p.description }

// Warnings returns what is suspicious about the policy though it can be evaluated.
func (p *Policy) Warnings() []Fault { return p.warnings }

// Attributes returns the attributes that the policy asks for, in the order of the text.
// Those of referenced policies are not among them.
func (p *Policy) Attributes() []AttributeUse { return p.uses }

// Compiled says whether the policy is decided by lookup.
func (p *Policy) Compiled() bool { return p.lookup != nil }

// child is what a combining algorithm combines.
type child interface {
	// evaluate takes the child's decision.
	evaluate(e *evaluation) outcome
	// applies says whether the child's target matches.
	applies(e *evaluation) (matched, *Status)
	// effect says which effect the child can only have, if that is so: legacy algorithms ask.
	effect() (Effect, bool)
}

// outcome is a decision with what goes with it.
type outcome struct {
	decision    Decision
	status      *Status // of an Indeterminate
	obligations []Obligation
	advice      []Obligation
}

// rule is a compiled Rule.
type rule struct {
	id          string
	description string
	line        int
	permits     Effect
	target      target
	condition   expression // nil: none
	duties      []duty
}

// duty is an obligation or advice expression.
type duty struct {
	id          string
	on          Effect
	advice      bool
	assignments []assignment
	line        int
}

// assignment is an attribute assignment expression.
type assignment struct {
	id       string
	category string
	issuer   string
	value    expression
}

// target is a conjunction of disjunctions of conjunctions. The empty target matches.
type target []anyOf

type anyOf struct {
	alternatives []allOf
	line         int
}

type allOf []match

// match compares a literal with the values of an attribute.
type match struct {
	compare   call
	literal   literal
	attribute expression
	line      int
}

// variable is a definition that expressions may refer to.
type variable struct {
	id    string
	value expression
}
