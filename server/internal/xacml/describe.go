package xacml

// Rule is what a policy says in one of its rules, for readers who do not decide: which
// subjects, resources and actions it is about.
type Rule struct {
	Policy      PolicyID
	ID          string
	Description string
	Line        int
	Effect      Effect
	Conditional bool        // it has a condition besides its target
	Target      [][][]Match // each AnyOf, its AllOf, their matches
}

// Match is a comparison in a target.
type Match struct {
	Function string // such as string-equal, "" if it is not known
	Category string
	ID       string // of the attribute, or the path of a selector
	DataType string
	Value    string // the literal
}

// Rules returns the rules of p and of the policies in it, in the order of the text. Those
// of referenced policies are not among them.
func (p *Policy) Rules() []Rule {
	var rules []Rule
	for _, c := range p.children {
		switch c := c.(type) {
		case *Policy:
			rules = append(rules, c.Rules()...)
		case *rule:
			rules = append(rules, Rule{
				Policy: p.id, ID: c.id, Description: c.description, Line: c.line, Effect: c.permits,
				Conditional: c.condition != nil, Target: c.target.describe(),
			})
		}
	}
	return rules
}

// Target returns the target of the policy itself.
func (p *Policy) Target() [][][]Match { return p.target.describe() }

// References returns what the policy refers to, also in the policies in it.
func (p *Policy) References() []Reference {
	var all []Reference
	for _, c := range p.children {
		switch c := c.(type) {
		case *Policy:
			all = append(all, c.References()...)
		case *policyReference:
			all = append(all, c.to)
		}
	}
	return all
}

func (t target) describe() [][][]Match {
	described := make([][][]Match, len(t))
	for i := range t {
		for _, all := range t[i].alternatives {
			matches := make([]Match, len(all))
			for j := range all {
				matches[j] = all[j].describe()
			}
			described[i] = append(described[i], matches)
		}
	}
	return described
}

func (m *match) describe() Match {
	d := Match{Value: m.literal.value.Text(), DataType: m.literal.dataType}
	if m.compare.function != nil {
		d.Function = m.compare.function.Name
	}
	switch from := m.attribute.(type) {
	case *designator:
		d.Category, d.ID = from.Category, from.ID
	case *selector:
		d.Category, d.ID = from.Category, from.Path
	}
	return d
}
