package xacml

import (
	"errors"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// Broken returns a policy that stands for a text which Parse refused with err. It has the
// identifier of the text, as far as that can be read, and is Indeterminate whenever it is
// needed: a policy that nobody needs may be broken.
func Broken(data []byte, err error) *Policy {
	status := &Status{Code: StatusProcessingError, Message: err.Error()}
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		status.Code = invalid.Code()
	}
	p := &Policy{id: identify(data), line: 1}
	p.target = target{{line: 1, alternatives: []allOf{{{attribute: failing{status}, literal: literal{value: value.OfUnknown("")}}}}}}
	p.algorithm = algorithm{name: "none", combine: func(*evaluation, []child) outcome { return outcome{status: status} }}
	return p
}

// identify reads the identifier of a policy that may be wrong otherwise.
func identify(data []byte) PolicyID {
	root, err := xmltree.Parse(data, xmltree.Limits{})
	if err != nil {
		return PolicyID{}
	}
	id := PolicyID{Set: root.Local == "PolicySet", Version: "1.0"}
	id.ID, _ = root.Attr(root.Local + "Id")
	if version, ok := root.Attr("Version"); ok && validVersion(version) {
		id.Version = version
	}
	return id
}

// failing is an expression that always ends with one status.
type failing struct{ status *Status }

func (f failing) typ() function.Type { return function.Type{Bag: true} }

func (f failing) evaluate(*evaluation) (function.Operand, *Status) {
	return function.Operand{}, f.status
}
