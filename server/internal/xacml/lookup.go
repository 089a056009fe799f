package xacml

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
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

// newLookup compiles a policy, or returns nil if it is not of the simple kind.
func newLookup(p *Policy) *lookup {
	l := &lookup{algorithm: strings.TrimPrefix(p.algorithm.name, "legacy ")}
	c := lookupCompiler{lookup: l}
	if !constant(p.duties) || p.id.Set {
		return nil
	}
	var ok bool
	if l.target, ok = c.choices(p.target); !ok {
		return nil
	}
	for _, ch := range p.children {
		r, isRule := ch.(*rule)
		if !isRule || r.condition != nil || len(r.duties) > 0 {
			return nil
		}
		choices, ok := c.choices(r.target)
		if !ok {
			return nil
		}
		l.rules = append(l.rules, compiledRule{decision: r.permits.decision(), choices: choices})
	}
	l.words = (c.atoms + 63) / 64
	l.permit, l.deny = prepared(p, Permit), prepared(p, Deny)
	return l
}

// prepared makes the result of a decision, with the obligations that go with it. They are
// shared by all decisions; cutting the capacity makes appending to them a copy.
func prepared(p *Policy, d Decision) Result {
	out := withDuties(&evaluation{}, p.duties, outcome{decision: d})
	return Result{
		Decision: d, Status: Status{Code: StatusOK},
		Obligations: out.obligations[:len(out.obligations):len(out.obligations)],
		Advice:      out.advice[:len(out.advice):len(out.advice)],
	}
}

type lookupCompiler struct {
	lookup *lookup
	atoms  int
}

func (c *lookupCompiler) choices(t target) ([]choice, bool) {
	choices := make([]choice, len(t))
	for i := range t {
		for _, all := range t[i].alternatives {
			var atoms []uint16
			for j := range all {
				atom, ok := c.atom(&all[j])
				if !ok {
					return nil, false
				}
				atoms = append(atoms, atom)
			}
			if len(atoms) == 1 {
				choices[i].single.set(atoms[0])
			} else {
				choices[i].all = append(choices[i].all, atoms)
			}
		}
	}
	return choices, true
}

// atom returns the bit of a match, if it is one that cannot fail.
func (c *lookupCompiler) atom(m *match) (uint16, bool) {
	d, ok := m.attribute.(*designator)
	if !ok || d.Must || m.compare.function == nil || c.atoms >= maxAtoms {
		return 0, false
	}
	folds := false
	switch {
	case d.kind == value.String && m.compare.function.Name == "string-equal-ignore-case":
		folds = true
	case d.kind == value.String && m.compare.function.Name == "string-equal":
	case d.kind == value.AnyURI && m.compare.function.Name == "anyURI-equal":
	default:
		return 0, false
	}
	if m.compare.function.Form != function.Strict {
		return 0, false
	}
	s := c.source(d)
	literals, text := s.equal, m.literal.value.Text()
	if folds {
		literals, text = s.folded, strings.ToLower(text)
	}
	atom, seen := literals[text]
	if !seen {
		atom = uint16(c.atoms)
		c.atoms++
		literals[text] = atom
	}
	return atom, true
}

func (c *lookupCompiler) source(d *designator) *source {
	for i := range c.lookup.sources {
		s := &c.lookup.sources[i]
		if s.category == d.Category && s.id == d.ID && s.issuer == d.Issuer && s.kind == d.kind {
			return s
		}
	}
	c.lookup.sources = append(c.lookup.sources, source{
		category: d.Category, id: d.ID, issuer: d.Issuer, dataType: d.kind.URI(), kind: d.kind,
		equal: make(map[string]uint16), folded: make(map[string]uint16),
	})
	return &c.lookup.sources[len(c.lookup.sources)-1]
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
