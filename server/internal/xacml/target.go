package xacml

import (
	"github.com/behalf-authz/behalf/server/internal/xacml/function"
)

// matched is what a target, or a part of one, says about a request.
type matched uint8

const (
	uncertain matched = iota // Indeterminate
	noMatch
	doesMatch
)

// evaluate says whether a request is one that t is about (core, 7.7): each AnyOf must
// match, and one that certainly does not decides.
func (t target) evaluate(e *evaluation) (matched, *Status) {
	answer := doesMatch
	var failure *Status
	for i := range t {
		switch m, status := t[i].evaluate(e); m {
		case noMatch:
			e.noteTarget(noMatch, &t[i])
			e.noteRest(t[i+1:])
			return noMatch, nil
		case uncertain:
			answer, failure = uncertain, firstStatus(failure, status)
			e.noteTarget(uncertain, &t[i])
		case doesMatch:
		}
	}
	if answer == doesMatch && len(t) > 0 {
		e.noteTarget(doesMatch, nil)
	}
	return answer, failure
}

func (a *anyOf) evaluate(e *evaluation) (matched, *Status) {
	answer := noMatch
	var failure *Status
	for _, all := range a.alternatives {
		switch m, status := all.evaluate(e); m {
		case doesMatch:
			return doesMatch, nil
		case uncertain:
			answer, failure = uncertain, firstStatus(failure, status)
		case noMatch:
		}
	}
	return answer, failure
}

func (a allOf) evaluate(e *evaluation) (matched, *Status) {
	answer := doesMatch
	var failure *Status
	for i := range a {
		switch m, status := a[i].evaluate(e); m {
		case noMatch:
			return noMatch, nil
		case uncertain:
			answer, failure = uncertain, firstStatus(failure, status)
		case doesMatch:
		}
	}
	return answer, failure
}

// evaluate says whether one value of the attribute matches (core, 7.6).
func (m *match) evaluate(e *evaluation) (matched, *Status) {
	operand, status := m.attribute.evaluate(e)
	if status != nil {
		return uncertain, status
	}
	var failure *Status
	args := [2]function.Operand{{Value: m.literal.value}}
	for _, v := range operand.Bag {
		if status := e.step(); status != nil {
			return uncertain, status
		}
		args[1].Value = v
		result, status := m.compare.with(e, args[:])
		if status != nil {
			failure = firstStatus(failure, status)
		} else if result.Value.Bool() {
			return doesMatch, nil
		}
	}
	if failure != nil {
		return uncertain, failure
	}
	return noMatch, nil
}
