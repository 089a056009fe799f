package xacml

import "github.com/behalf-authz/behalf/server/internal/xacml/value"

// withDuties adds the obligations and advice that go with a decision. One that cannot be
// computed makes the decision Indeterminate (core, 7.18): a Permit without its
// obligations would be more than the policy gives.
func withDuties(e *evaluation, duties []duty, out outcome) outcome {
	if out.decision != Permit && out.decision != Deny {
		return out
	}
	for i := range duties {
		d := &duties[i]
		if d.on.decision() != out.decision {
			continue
		}
		obligation, status := d.evaluate(e)
		if status != nil {
			return outcome{decision: out.decision.uncertain(), status: status}
		}
		if d.advice {
			out.advice = append(out.advice, obligation)
		} else {
			out.obligations = append(out.obligations, obligation)
		}
	}
	return out
}

func (d *duty) evaluate(e *evaluation) (Obligation, *Status) {
	o := Obligation{ID: d.id, Assignments: make([]Assignment, 0, len(d.assignments))}
	for i := range d.assignments {
		a := &d.assignments[i]
		operand, status := a.value.evaluate(e)
		if status != nil {
			return Obligation{}, status
		}
		if !a.value.typ().Bag {
			o.Assignments = append(o.Assignments, a.assign(operand.Value))
		}
		for _, v := range operand.Bag {
			o.Assignments = append(o.Assignments, a.assign(v))
		}
	}
	return o, nil
}

func (a *assignment) assign(v value.Value) Assignment {
	dataType := v.Kind().URI()
	if l, ok := a.value.(literal); ok {
		dataType = l.dataType
	}
	return Assignment{ID: a.id, Category: a.category, Issuer: a.issuer, Value: written(v, dataType)}
}

// constant says whether all duties are made of literals, so that they are the same in
// every decision.
func constant(duties []duty) bool {
	for i := range duties {
		for j := range duties[i].assignments {
			if _, ok := duties[i].assignments[j].value.(literal); !ok {
				return false
			}
		}
	}
	return true
}
