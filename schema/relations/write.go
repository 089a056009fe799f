package relations

import (
	"fmt"
	"strings"
)

// maxLine is where a union is broken into several lines, in characters.
const maxLine = 110

func (c *compiler) line(format string, args ...any) {
	fmt.Fprintf(&c.text, format, args...)
	c.text.WriteByte('\n')
}

// relation declares a relation of party.
func (c *compiler) relation(name, subjects string) {
	c.declare(name)
	c.line("\trelation %s: %s", name, subjects)
}

// permission declares a permission of party, the union of the terms; none is nobody.
func (c *compiler) permission(name string, terms []string) {
	c.declare(name)
	if len(terms) == 0 {
		terms = []string{"nil"}
	}
	c.union(name, terms, "")
}

// union writes a permission of any definition: the union of the terms, within a condition
// when that is not empty.
func (c *compiler) union(name string, terms []string, condition string) {
	if condition != "" && len(terms) > 1 {
		terms = append([]string{"(" + terms[0]}, terms[1:]...)
		terms[len(terms)-1] += ")"
	}
	if condition != "" {
		terms = append([]string{condition + terms[0]}, terms[1:]...)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\tpermission %s =", name)
	width := b.Len()
	for i, term := range terms {
		if i > 0 {
			b.WriteString(" +")
			width += 2
		}
		// A line may break behind an operator only: a line that ends in a name ends the
		// declaration.
		if width+1+len(term) > maxLine && i > 0 {
			b.WriteString("\n\t\t")
			width = 8
		} else {
			b.WriteByte(' ')
			width++
		}
		b.WriteString(term)
		width += len(term)
	}
	c.line("%s", b.String())
}

// declare notes a name of party and that no other has it.
func (c *compiler) declare(name string) {
	if len(name) > maxName {
		c.faults = append(c.faults, fmt.Errorf("%s has %d characters, at most %d are allowed", name, len(name), maxName))
	}
	if c.names[name] {
		c.faults = append(c.faults, fmt.Errorf("%s is declared twice", name))
	}
	c.names[name] = true
}
