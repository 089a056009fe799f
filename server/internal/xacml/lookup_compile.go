package xacml

import (
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

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
