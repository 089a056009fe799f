package xacml

import (
	"errors"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// expression is a part of a condition, a variable or an obligation.
type expression interface {
	// typ is what the expression gives; its kind is Unknown if nobody can say.
	typ() function.Type
	evaluate(e *evaluation) (function.Operand, *Status)
}

// literal is an AttributeValue in a policy.
type literal struct {
	value    value.Value
	dataType string
}

func (l literal) typ() function.Type { return function.Type{Kind: l.value.Kind()} }

func (l literal) evaluate(*evaluation) (function.Operand, *Status) {
	return function.Operand{Value: l.value}, nil
}

// broken stands for what is not known here, such as a function of another vendor. The
// policy can be read; evaluating it is Indeterminate.
type broken struct {
	message string
	result  function.Type
}

func (b broken) typ() function.Type { return b.result }

func (b broken) evaluate(*evaluation) (function.Operand, *Status) {
	return function.Operand{}, processing("%s", b.message)
}

// reference is a VariableReference.
type reference struct{ to *variable }

func (r reference) typ() function.Type { return r.to.value.typ() }

// evaluate computes a variable once in an evaluation, however often it is referred to.
func (r reference) evaluate(e *evaluation) (function.Operand, *Status) {
	if known, ok := e.variables[r.to]; ok {
		return known.operand, known.status
	}
	operand, status := r.to.value.evaluate(e)
	if e.variables == nil {
		e.variables = make(map[*variable]computed)
	}
	e.variables[r.to] = computed{operand, status}
	return operand, status
}

// computed is what a variable was found to be.
type computed struct {
	operand function.Operand
	status  *Status
}

// apply is an Apply of a strict function.
type apply struct {
	call call
	args []expression
}

// call is a function as one place of a policy calls it.
type call struct {
	function *function.Function
}

func (a *apply) typ() function.Type { return a.call.function.Result }

func (a *apply) evaluate(e *evaluation) (function.Operand, *Status) {
	if status := e.step(); status != nil {
		return function.Operand{}, status
	}
	args := make([]function.Operand, len(a.args))
	for i, arg := range a.args {
		var status *Status
		if args[i], status = arg.evaluate(e); status != nil {
			return function.Operand{}, status
		}
	}
	return a.call.with(e, args)
}

// with computes a function of evaluated arguments.
func (c call) with(e *evaluation, args []function.Operand) (function.Operand, *Status) {
	f := c.function
	switch f.Form {
	case function.Strict:
		result, err := f.Call(args)
		if err != nil {
			status := processing("%s: %v", f.Name, err)
			if _, ok := errors.AsType[*function.SyntaxError](err); ok {
				status.Code = StatusSyntaxError
			}
			return function.Operand{}, status
		}
		return result, nil
	case function.XPath:
		return e.xpath(f, args)
	case function.And, function.Or, function.NOf:
		return logic(f, args)
	case function.Higher:
	}
	return function.Operand{}, processing("%s cannot be called here", f.Name)
}

// logic computes and, or and n-of of arguments that are known.
func logic(f *function.Function, args []function.Operand) (function.Operand, *Status) {
	known := make([]expression, len(args))
	for i, arg := range args {
		known[i] = literal{value: arg.Value}
	}
	return (&connective{function: f, args: known}).evaluate(nil)
}

// connective is an Apply of and, or or n-of, which stop when the answer is known.
type connective struct {
	function *function.Function
	args     []expression
}

func (c *connective) typ() function.Type { return c.function.Result }

func (c *connective) evaluate(e *evaluation) (function.Operand, *Status) {
	args, need := c.args, int64(1)
	switch c.function.Form {
	case function.And:
		return c.count(e, args, false, 1)
	case function.NOf:
		wanted, status := args[0].evaluate(e)
		if status != nil {
			return function.Operand{}, status
		}
		args, need = args[1:], wanted.Value.Int()
		if need > int64(len(args)) {
			return function.Operand{}, processing("n-of wants %d of %d arguments", need, len(args))
		}
	case function.Or, function.Strict, function.Higher, function.XPath:
	}
	return c.count(e, args, true, need)
}

// count looks for need arguments equal to decisive. An argument that fails matters only
// if those that do not fail leave the answer open.
func (c *connective) count(e *evaluation, args []expression, decisive bool, need int64) (function.Operand, *Status) {
	var failure *Status
	for _, arg := range args {
		if need <= 0 {
			break
		}
		operand, status := arg.evaluate(e)
		if status != nil {
			failure = firstStatus(failure, status)
		} else if operand.Value.Bool() == decisive {
			need--
		}
	}
	if need <= 0 {
		return function.Operand{Value: value.OfBool(decisive)}, nil
	}
	if failure != nil {
		return function.Operand{}, failure
	}
	return function.Operand{Value: value.OfBool(!decisive)}, nil
}
