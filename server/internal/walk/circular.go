package walk

// Circular returns the permissions that come back to themselves by names alone, as
// definition#name: with no relationship on the way, nothing ends them but a term that holds.
// SpiceDB takes such schemas, and gives up on what is asked of them
// at its limit of depth.
func (s *Schema) Circular() []string {
	var names []string
	for _, p := range s.programs {
		if p.circular {
			names = append(names, p.def.name+"#"+p.name)
		}
	}
	return names
}

// markCircular finds the programs that come back to themselves on the same object.
func (s *Schema) markCircular() {
	for _, p := range s.programs {
		if p.expr == nil {
			continue
		}
		seen := map[*program]bool{}
		p.expr.named(p.def, func(named *program) { named.reaches(seen) })
		p.circular = seen[p]
	}
}

// reaches adds a program, and those that it names on the same object at any depth.
func (p *program) reaches(seen map[*program]bool) {
	if seen[p] {
		return
	}
	seen[p] = true
	if p.expr != nil {
		p.expr.named(p.def, func(named *program) { named.reaches(seen) })
	}
}

// named calls f for the programs that an expression of a definition names on the same object.
func (e *Expr) named(def *definition, f func(*program)) {
	if e.Op == Computed {
		if p := def.byName[e.Relation]; p != nil {
			f(p)
		}
	}
	for _, kid := range e.Kids {
		kid.named(def, f)
	}
}
