package expression

import (
	"errors"
	"fmt"
	"slices"
)

// Facts are what an expression is about.
type Facts struct {
	Groups, Permissions []string
	ClientType          string // empty when it is not known
	Backoffice          bool
}

// Expression is a condition on facts. The zero Expression holds of nothing.
type Expression struct{ holds func(Facts) bool }

// Holds says whether the facts meet the condition.
func (e Expression) Holds(f Facts) bool { return e.holds != nil && e.holds(f) }

// maxSize and maxDepth bound an expression.
const (
	maxSize  = 16 << 10
	maxDepth = 64
)

// Parse reads an expression. The error says what of it means nothing, and where.
func Parse(s string) (Expression, error) {
	if len(s) > maxSize {
		return Expression{}, errors.New("is longer than 16 KiB")
	}
	tokens, err := lex(s)
	if err != nil {
		return Expression{}, err
	}
	p := &parser{tokens: tokens}
	v, err := p.either(0)
	if err != nil {
		return Expression{}, err
	}
	if t := p.peek(); t.kind != end {
		return Expression{}, p.fault(t, "%q cannot follow", t.text)
	}
	if v.test == nil {
		return Expression{}, fmt.Errorf("is %s, not a condition", v.what())
	}
	return Expression{v.test}, nil
}

// value is a part of an expression. One field is set, by its type.
type value struct {
	test func(Facts) bool     // a condition
	text func(Facts) string   // a text
	set  func(Facts) []string // a set of texts: groups, permissions, or a list
	list []string             // the texts of a list, which is a set too
	name bool                 // the set is groups or permissions
}

// what says what a value is, for people.
func (v value) what() string {
	switch {
	case v.test != nil:
		return "a condition"
	case v.text != nil:
		return "a text"
	case v.list != nil:
		return "a list"
	}
	return "a set"
}

func constant(holds bool) value { return value{test: func(Facts) bool { return holds }} }

func not(v value) value { return value{test: func(f Facts) bool { return !v.test(f) }} }

func both(a, b value) value {
	return value{test: func(f Facts) bool { return a.test(f) && b.test(f) }}
}

func or(a, b value) value {
	return value{test: func(f Facts) bool { return a.test(f) || b.test(f) }}
}

// equal compares two values, which must be of one type. An unknown client type is equal to
// no text: no text is empty.
func equal(a, b value) (value, bool) {
	switch {
	case a.test != nil && b.test != nil:
		return value{test: func(f Facts) bool { return a.test(f) == b.test(f) }}, true
	case a.text != nil && b.text != nil:
		return value{test: func(f Facts) bool { return a.text(f) == b.text(f) }}, true
	}
	return value{}, false
}

// within says whether a text, or all of a list, is in a set.
func within(a, set value) (value, bool) {
	switch {
	case set.set == nil:
		return value{}, false
	case a.text != nil:
		return value{test: func(f Facts) bool { return slices.Contains(set.set(f), a.text(f)) }}, true
	case a.list != nil:
		return value{test: func(f Facts) bool {
			have := set.set(f)
			return !slices.ContainsFunc(a.list, func(s string) bool { return !slices.Contains(have, s) })
		}}, true
	}
	return value{}, false
}

// named returns what a name means, if it means something.
func named(name string) (value, bool) {
	switch name {
	case "true":
		return constant(true), true
	case "false":
		return constant(false), true
	case "isBackoffice":
		return value{test: func(f Facts) bool { return f.Backoffice }}, true
	case "clientType":
		return value{text: func(f Facts) string { return f.ClientType }}, true
	case "groups":
		return value{set: func(f Facts) []string { return f.Groups }, name: true}, true
	case "permissions":
		return value{set: func(f Facts) []string { return f.Permissions }, name: true}, true
	}
	return value{}, false
}
