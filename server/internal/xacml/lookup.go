package xacml

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// A policy that only compares attributes with literals, and says nothing about what must
// be present, cannot fail. Its decision follows from which of its matches hold, and each
// distinct match is one bit: the request is read once, every value is looked up, and
// rules are masks.

// maxAtoms bounds the distinct matches of a policy that is compiled.
const maxAtoms = 512

// bits has one bit for each distinct match.
type bits [maxAtoms / 64]uint64

func (b *bits) set(i uint16) { b[i/64] |= 1 << (i % 64) }

func (b *bits) has(i uint16) bool { return b[i/64]&(1<<(i%64)) != 0 }

// lookup is the compiled form of a policy.
type lookup struct {
	sources   []source
	words     int // of bits that are used
	target    []choice
	rules     []compiledRule
	algorithm string
	permit    Result
	deny      Result
}

// source is one attribute that the policy compares.
type source struct {
	category, id, issuer string
	dataType             string
	kind                 value.Kind
	equal                map[string]uint16
	folded               map[string]uint16 // by the literal in lower case
}

// compiledRule is a rule as choices that must all be met.
type compiledRule struct {
	decision Decision
	choices  []choice
}

// choice is an AnyOf.
type choice struct {
	single bits       // alternatives of one match
	all    [][]uint16 // the others
}

// decide takes the decision. It says no if the request has a value that the general
// evaluator would stumble over.
func (l *lookup) decide(p *Policy, r *Request) (Result, bool) {
	var held bits
	for i := range r.Categories {
		if !l.read(&r.Categories[i], &held) {
			return Result{}, false
		}
	}
	result := Result{Decision: NotApplicable, Status: Status{Code: StatusOK}}
	if l.meets(l.target, &held) {
		switch l.combine(&held) {
		case Permit:
			result = l.permit
		case Deny:
			result = l.deny
		case NotApplicable, IndeterminateDP, IndeterminateD, IndeterminateP:
		}
	}
	if r.ReturnPolicyIDs && result.Decision != NotApplicable {
		result.Policies = []PolicyID{p.id}
	}
	return result, true
}

// read sets the bits of the matches that hold for one category.
func (l *lookup) read(c *Attributes, held *bits) bool {
	for i := range l.sources {
		s := &l.sources[i]
		if s.category != c.Category {
			continue
		}
		for j := range c.Attributes {
			a := &c.Attributes[j]
			if a.ID != s.id || s.issuer != "" && a.Issuer != s.issuer {
				continue
			}
			for k := range a.Values {
				if v := &a.Values[k]; v.DataType == s.dataType && !s.find(v.Text, held) {
					return false
				}
			}
		}
	}
	return true
}

// find sets the bits of the literals that text equals.
func (s *source) find(text string, held *bits) bool {
	if s.kind == value.AnyURI && strings.ContainsAny(text, " \t\r\n") {
		return false
	}
	if atom, ok := s.equal[text]; ok {
		held.set(atom)
	}
	if len(s.folded) == 0 {
		return true
	}
	var buffer [128]byte
	if len(text) > len(buffer) {
		s.findFolded(strings.ToLower(text), held)
		return true
	}
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 0x80:
			s.findFolded(strings.ToLower(text), held)
			return true
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		buffer[i] = c
	}
	if atom, ok := s.folded[string(buffer[:len(text)])]; ok { // does not allocate
		held.set(atom)
	}
	return true
}

func (s *source) findFolded(lower string, held *bits) {
	if atom, ok := s.folded[lower]; ok {
		held.set(atom)
	}
}

// meets says whether every choice has an alternative of which all matches hold.
func (l *lookup) meets(choices []choice, held *bits) bool {
	for i := range choices {
		if !l.met(&choices[i], held) {
			return false
		}
	}
	return true
}

func (l *lookup) met(c *choice, held *bits) bool {
	for w := range l.words {
		if c.single[w]&held[w] != 0 {
			return true
		}
	}
next:
	for _, all := range c.all {
		for _, atom := range all {
			if !held.has(atom) {
				continue next
			}
		}
		return true
	}
	return false
}

// combine combines rules that cannot be Indeterminate.
func (l *lookup) combine(held *bits) Decision {
	permit, deny := false, false
	for i := range l.rules {
		r := &l.rules[i]
		if !l.meets(r.choices, held) {
			continue
		}
		if l.algorithm == "first-applicable" {
			return r.decision
		}
		permit = permit || r.decision == Permit
		deny = deny || r.decision == Deny
	}
	switch {
	case l.algorithm == "deny-unless-permit" && !permit:
		return Deny
	case l.algorithm == "permit-unless-deny" && !deny:
		return Permit
	case !permit && !deny:
		return NotApplicable
	case permit && deny:
		if l.algorithm == "permit-overrides" || l.algorithm == "deny-unless-permit" {
			return Permit
		}
		return Deny
	case permit:
		return Permit
	}
	return Deny
}
