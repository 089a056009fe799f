package xacml

import (
	"fmt"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// higher is an Apply of a function that takes a function (core, A.3.12).
type higher struct {
	name   string
	inner  *function.Function
	args   []expression
	result function.Type
}

func (h *higher) typ() function.Type { return h.result }

// newHigher checks that inner can be applied to what the arguments hold.
func newHigher(f, inner *function.Function, args []expression) (*higher, error) {
	h := &higher{name: f.Name, inner: inner, args: args, result: f.Result}
	types := make([]function.Type, len(args))
	bags := 0
	for i, arg := range args {
		types[i] = arg.typ()
		if types[i].Bag {
			bags++
		}
		types[i].Bag = false
	}
	switch h.name {
	case "any-of", "all-of", "map":
		if bags != 1 {
			return nil, fmt.Errorf("%s takes one bag and is given %d", h.name, bags)
		}
	case "any-of-all", "all-of-any", "all-of-all":
		if len(args) != 2 || bags != 2 {
			return nil, fmt.Errorf("%s takes a function and two bags", h.name)
		}
	default:
		if len(args) == 0 {
			return nil, fmt.Errorf("%s takes a function and one bag at least", h.name)
		}
	}
	if inner.Form == function.Higher || inner.Result.Bag {
		return nil, fmt.Errorf("%s cannot apply %s", h.name, inner.Name)
	}
	if err := accepts(inner, types); err != nil {
		return nil, err
	}
	if h.name == "map" {
		h.result = function.Type{Kind: inner.Result.Kind, Bag: true}
	} else if inner.Result.Kind != value.Boolean {
		return nil, fmt.Errorf("%s applies a function that gives a boolean, not a %s", h.name, inner.Result)
	}
	return h, nil
}

func (h *higher) evaluate(e *evaluation) (function.Operand, *Status) {
	args := make([]function.Operand, len(h.args))
	for i, arg := range h.args {
		var status *Status
		if args[i], status = arg.evaluate(e); status != nil {
			return function.Operand{}, status
		}
		if !arg.typ().Bag {
			args[i].Bag = []value.Value{args[i].Value}
		}
	}
	switch h.name {
	case "map":
		return h.collect(e, args)
	case "all-of":
		return h.quantify(false, h.each(e, args))
	case "any-of-all": // some x, for all y
		return h.nested(e, args[0].Bag, args[1].Bag, true, false)
	case "all-of-any": // for all x, some y
		return h.nested(e, args[0].Bag, args[1].Bag, false, true)
	case "all-of-all":
		return h.nested(e, args[0].Bag, args[1].Bag, false, false)
	default: // any-of, any-of-any
		return h.quantify(true, h.each(e, args))
	}
}

// answers yields the result of the inner function for one choice of values after the
// other, until yield says that it knows enough.
type answers func(yield func(function.Operand, *Status) bool)

// each goes through all choices of one value from every bag.
func (h *higher) each(e *evaluation, args []function.Operand) answers {
	return func(yield func(function.Operand, *Status) bool) {
		at := make([]int, len(args))
		for _, arg := range args {
			if len(arg.Bag) == 0 {
				return
			}
		}
		for {
			chosen := make([]function.Operand, len(args))
			for i := range args {
				chosen[i].Value = args[i].Bag[at[i]]
			}
			if !yield(h.call(e, chosen)) {
				return
			}
			i := len(at) - 1
			for ; i >= 0; i-- {
				if at[i]++; at[i] < len(args[i].Bag) {
					break
				}
				at[i] = 0
			}
			if i < 0 {
				return
			}
		}
	}
}

func (h *higher) call(e *evaluation, args []function.Operand) (function.Operand, *Status) {
	if status := e.step(); status != nil {
		return function.Operand{}, status
	}
	return call{h.inner}.with(e, args)
}

// quantify answers decisive as soon as one answer is, and the contrary if none is.
func (h *higher) quantify(decisive bool, all answers) (function.Operand, *Status) {
	var failure *Status
	found := false
	all(func(o function.Operand, status *Status) bool {
		switch {
		case status != nil:
			failure = status
			return false
		case o.Value.Bool() == decisive:
			found = true
			return false
		}
		return true
	})
	if failure != nil {
		return function.Operand{}, failure
	}
	return function.Operand{Value: value.OfBool(found == decisive)}, nil
}

// nested quantifies over x, and for each over y. Each asks for some value, or for all.
func (h *higher) nested(e *evaluation, xs, ys []value.Value, someX, someY bool) (function.Operand, *Status) {
	return h.quantify(someX, func(yield func(function.Operand, *Status) bool) {
		for _, x := range xs {
			inner := func(yield func(function.Operand, *Status) bool) {
				for _, y := range ys {
					args := []function.Operand{{Value: x}, {Value: y}}
					if !yield(h.call(e, args)) {
						return
					}
				}
			}
			if !yield(h.quantify(someY, inner)) {
				return
			}
		}
	})
}

func (h *higher) collect(e *evaluation, args []function.Operand) (function.Operand, *Status) {
	var bag []value.Value
	var failure *Status
	h.each(e, args)(func(o function.Operand, status *Status) bool {
		failure = status
		bag = append(bag, o.Value)
		return status == nil
	})
	if failure != nil {
		return function.Operand{}, failure
	}
	return function.Operand{Bag: bag}, nil
}
