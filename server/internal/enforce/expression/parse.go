package expression

import (
	"fmt"
	"strings"
)

// parser reads tokens, one method for each strength of operators.
type parser struct {
	tokens []token
	at     int
}

func (p *parser) peek() token { return p.tokens[p.at] }

// take returns whether the next token is the sign or word, and goes past it if so.
func (p *parser) take(texts ...string) (string, bool) {
	t := p.peek()
	if t.kind != operator && t.kind != word {
		return "", false
	}
	for _, s := range texts {
		if t.text == s {
			p.at++
			return s, true
		}
	}
	return "", false
}

func (p *parser) fault(t token, format string, args ...any) error {
	where := fmt.Sprintf("at character %d: ", t.at+1)
	if t.kind == end {
		where = "at the end: "
	}
	return fmt.Errorf(where+format, args...)
}

// either reads conditions between ||.
func (p *parser) either(depth int) (value, error) {
	return p.chain(depth, "||", p.both, or)
}

// both reads conditions between &&.
func (p *parser) both(depth int) (value, error) {
	return p.chain(depth, "&&", p.comparison, both)
}

func (p *parser) chain(depth int, sign string, part func(int) (value, error), join func(a, b value) value) (value, error) {
	v, err := part(depth)
	if err != nil {
		return value{}, err
	}
	for {
		t := p.peek()
		if _, ok := p.take(sign); !ok {
			return v, nil
		}
		next, err := part(depth)
		if err != nil {
			return value{}, err
		}
		if v.test == nil || next.test == nil {
			return value{}, p.fault(t, "%s needs a condition on both sides, and has %s and %s", sign, v.what(), next.what())
		}
		v = join(v, next)
	}
}

// comparison reads values between ==, != and in.
func (p *parser) comparison(depth int) (value, error) {
	v, err := p.negation(depth)
	if err != nil {
		return value{}, err
	}
	for {
		t := p.peek()
		sign, ok := p.take("==", "===", "!=", "!==", "in")
		if !ok {
			return v, nil
		}
		next, err := p.negation(depth)
		if err != nil {
			return value{}, err
		}
		compared := equal
		if sign == "in" {
			compared = within
		}
		of, right := compared(v, next)
		if !right {
			return value{}, p.fault(t, "%s has %s before it and %s after it", sign, v.what(), next.what())
		}
		if v = of; sign[0] == '!' {
			v = not(of)
		}
	}
}

// negation reads a value with any number of ! before it.
func (p *parser) negation(depth int) (value, error) {
	t := p.peek()
	if depth >= maxDepth {
		return value{}, p.fault(t, "goes deeper than %d", maxDepth)
	}
	if _, ok := p.take("!"); !ok {
		return p.single(depth)
	}
	v, err := p.negation(depth + 1)
	if err != nil {
		return value{}, err
	}
	if v.test == nil {
		return value{}, p.fault(t, "! needs a condition, and has %s", v.what())
	}
	return not(v), nil
}

// single reads one value.
func (p *parser) single(depth int) (value, error) {
	t := p.peek()
	p.at++
	switch {
	case t.kind == text:
		return value{text: func(Facts) string { return t.text }}, nil
	case t.kind == number:
		return constant(t.text == "1"), nil
	case t.kind == word:
		v, known := named(t.text)
		if !known {
			return value{}, p.fault(t, "%.40q is not known; there are groups, permissions, clientType, isBackoffice, true and false", t.text)
		}
		return p.member(v)
	case t.text == "(":
		v, err := p.either(depth + 1)
		if err != nil {
			return value{}, err
		}
		if _, ok := p.take(")"); !ok {
			return value{}, p.fault(p.peek(), "( is not closed")
		}
		return v, nil
	case t.text == "[":
		return p.list()
	}
	if t.kind == end {
		p.at-- // there is nothing behind it
	}
	return value{}, p.fault(t, "a value is missing")
}

// member reads groups.name and groups["name"].
func (p *parser) member(v value) (value, error) {
	t := p.peek()
	sign, ok := p.take(".", "[")
	switch {
	case !ok:
		return v, nil
	case !v.name:
		return value{}, p.fault(t, "only groups and permissions have members")
	}
	name := p.peek()
	if sign == "." && name.kind != word || sign == "[" && name.kind != text {
		return value{}, p.fault(name, "a name is missing")
	}
	p.at++
	if sign == "[" {
		if _, closed := p.take("]"); !closed {
			return value{}, p.fault(p.peek(), "[ is not closed")
		}
	}
	if after := p.peek(); after.kind == operator && strings.Contains(".[", after.text) {
		return value{}, p.fault(after, `a name with other than letters, digits, _ and $ is written ["…"]`)
	}
	held, _ := within(value{text: func(Facts) string { return name.text }}, v)
	return held, nil
}

// list reads the texts of a list, after its [.
func (p *parser) list() (value, error) {
	var all []string
	for {
		t := p.peek()
		if t.kind != text {
			return value{}, p.fault(t, "a list has texts, and one at least")
		}
		all = append(all, t.text)
		p.at++
		if _, more := p.take(","); more {
			continue
		}
		if _, closed := p.take("]"); !closed {
			return value{}, p.fault(p.peek(), "[ is not closed")
		}
		return value{list: all, set: func(Facts) []string { return all }}, nil
	}
}
