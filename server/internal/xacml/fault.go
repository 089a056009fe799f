package xacml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// FaultKind is what is wrong, for programs. Kinds are append-only.
type FaultKind string

// The kinds of faults and warnings.
const (
	FaultXML       FaultKind = "XML"              // no acceptable XML
	FaultStructure FaultKind = "STRUCTURE"        // an element or attribute is missing, or too many
	FaultValue     FaultKind = "VALUE"            // a text is no value of its data type
	FaultType      FaultKind = "TYPE"             // an argument or condition of the wrong type
	FaultUnknown   FaultKind = "UNKNOWN"          // a combining algorithm or variable nobody defines
	WarnStructure  FaultKind = "LAX_STRUCTURE"    // not valid by the schema, but understood
	WarnFunction   FaultKind = "UNKNOWN_FUNCTION" // evaluating it is Indeterminate
	WarnDataType   FaultKind = "UNKNOWN_DATA_TYPE"
	WarnXPath      FaultKind = "XPATH"     // evaluating it is Indeterminate
	WarnDuplicate  FaultKind = "DUPLICATE" // two rules with one identifier
	WarnNever      FaultKind = "NEVER"     // a rule that can never make a difference
	WarnSpaces     FaultKind = "SPACES"    // a literal that begins or ends with spaces
)

// Fault is one thing wrong with a policy, or one warning.
type Fault struct {
	Kind    FaultKind
	Line    int
	Column  int
	Element string // the elements around it, such as Policy/Rule/Target
	Message string // what is wrong and what would be right
}

// String returns the place and the message.
func (f Fault) String() string {
	if f.Element == "" {
		return fmt.Sprintf("line %d: %s", f.Line, f.Message)
	}
	return fmt.Sprintf("line %d, %s: %s", f.Line, f.Element, f.Message)
}

// Invalid is the error of Parse: everything that is wrong with a policy.
type Invalid struct {
	Faults []Fault
}

// Error returns the faults, one a line.
func (i *Invalid) Error() string {
	lines := make([]string, len(i.Faults))
	for j, f := range i.Faults {
		lines[j] = f.String()
	}
	return "the policy is not valid: " + strings.Join(lines, "\n")
}

// Code returns the status of a decision that would need the policy: a processing error
// if only types are wrong, else a syntax error.
func (i *Invalid) Code() StatusCode {
	for _, f := range i.Faults {
		if f.Kind != FaultType && f.Kind != FaultUnknown {
			return StatusSyntaxError
		}
	}
	return StatusProcessingError
}

// FailedPolicy returns the answer to any request when the policy cannot be read.
func FailedPolicy(err error) *Response {
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		return Failed(invalid.Code(), invalid.Error())
	}
	return Failed(StatusProcessingError, err.Error())
}

// fault notes what is wrong at n.
func (c *compiler) fault(kind FaultKind, n *xmltree.Node, format string, args ...any) {
	c.faults = append(c.faults, faultAt(kind, n, format, args...))
}

// warn notes what is suspicious at n.
func (c *compiler) warn(kind FaultKind, n *xmltree.Node, format string, args ...any) {
	c.warnings = append(c.warnings, faultAt(kind, n, format, args...))
}

func faultAt(kind FaultKind, n *xmltree.Node, format string, args ...any) Fault {
	return Fault{Kind: kind, Line: n.Line, Column: n.Column, Element: n.Path(), Message: fmt.Sprintf(format, args...)}
}
