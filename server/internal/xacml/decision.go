package xacml

// Decision is what a rule, policy or set says about a request. The zero Decision is
// Indeterminate, which is never a Permit.
type Decision uint8

// The decisions. The three kinds of Indeterminate say what the decision could have been
// if nothing had gone wrong: both, Deny only, Permit only.
const (
	IndeterminateDP Decision = iota
	IndeterminateD
	IndeterminateP
	NotApplicable
	Deny
	Permit
)

// Indeterminate says whether d is one of the three kinds.
func (d Decision) Indeterminate() bool { return d <= IndeterminateP }

// String returns the decision as responses write it.
func (d Decision) String() string {
	switch d {
	case Permit:
		return "Permit"
	case Deny:
		return "Deny"
	case NotApplicable:
		return "NotApplicable"
	case IndeterminateDP, IndeterminateD, IndeterminateP:
	}
	return "Indeterminate"
}

// Extended returns the decision with the kind of an Indeterminate.
func (d Decision) Extended() string {
	switch d {
	case IndeterminateD:
		return "Indeterminate{D}"
	case IndeterminateP:
		return "Indeterminate{P}"
	case IndeterminateDP:
		return "Indeterminate{DP}"
	case NotApplicable, Deny, Permit:
	}
	return d.String()
}

// uncertain returns what d becomes when the target that guards it is Indeterminate
// (core, 7.14, table 7).
func (d Decision) uncertain() Decision {
	switch d {
	case Permit:
		return IndeterminateP
	case Deny:
		return IndeterminateD
	case NotApplicable, IndeterminateDP, IndeterminateD, IndeterminateP:
	}
	return d
}

// Effect is what a rule has when it applies. The zero Effect is Deny.
type Effect uint8

// The effects.
const (
	DenyEffect Effect = iota
	PermitEffect
)

// String returns the effect as policies write it.
func (e Effect) String() string { return e.decision().String() }

func (e Effect) decision() Decision {
	if e == PermitEffect {
		return Permit
	}
	return Deny
}

// StatusCode says how the evaluation went.
type StatusCode string

// The status codes of XACML.
const (
	StatusOK               StatusCode = "urn:oasis:names:tc:xacml:1.0:status:ok"
	StatusMissingAttribute StatusCode = "urn:oasis:names:tc:xacml:1.0:status:missing-attribute"
	StatusSyntaxError      StatusCode = "urn:oasis:names:tc:xacml:1.0:status:syntax-error"
	StatusProcessingError  StatusCode = "urn:oasis:names:tc:xacml:1.0:status:processing-error"
)

// Status says how the evaluation went and, if not well, why.
type Status struct {
	Code    StatusCode
	Message string
	Missing []MissingAttribute // with StatusMissingAttribute
}

// MissingAttribute is an attribute that must be present and was not.
type MissingAttribute struct {
	Category string
	ID       string // of the attribute, or the path of a selector
	DataType string
	Issuer   string
}

// Obligation is an obligation or an advice that goes with a decision.
type Obligation struct {
	ID          string
	Assignments []Assignment
}

// Assignment is one value that an obligation carries.
type Assignment struct {
	ID       string
	Category string
	Issuer   string
	Value    AttributeValue
}

// PolicyID names a version of a policy or set.
type PolicyID struct {
	Set     bool
	ID      string
	Version string
}

// Result is the answer to one question.
type Result struct {
	Decision    Decision
	Status      Status
	Obligations []Obligation
	Advice      []Obligation
	Attributes  []Attributes // those that the request wants back
	Policies    []PolicyID   // those that applied, if the request wants them
	Trace       *Trace       // if Options.Explain
}

// Response is the answer to a request: one result for each question in it.
type Response struct {
	Results []Result
}

// Failed returns the answer to a request that could not be evaluated at all.
func Failed(code StatusCode, message string) *Response {
	return &Response{Results: []Result{failed(code, message)}}
}

func failed(code StatusCode, message string) Result {
	return Result{Decision: IndeterminateDP, Status: Status{Code: code, Message: message}}
}
