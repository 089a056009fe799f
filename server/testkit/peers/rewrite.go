package main

import (
	"errors"
	"fmt"

	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	openfgav1 "github.com/openfga/api/proto/openfga/v1"
)

// rewrite translates the expression of a permission. It is nil for one that has nobody.
func (m *model) rewrite(typ string, r *core.UsersetRewrite) (*openfgav1.Userset, error) {
	switch op := r.GetRewriteOperation().(type) {
	case *core.UsersetRewrite_Union:
		terms, err := m.terms(typ, op.Union)
		return union(kept(terms)), err
	case *core.UsersetRewrite_Intersection:
		terms, err := m.terms(typ, op.Intersection)
		if err != nil || len(kept(terms)) < len(terms) {
			return nil, err
		}
		return &openfgav1.Userset{Userset: &openfgav1.Userset_Intersection{Intersection: &openfgav1.Usersets{Child: terms}}}, nil
	case *core.UsersetRewrite_Exclusion:
		terms, err := m.terms(typ, op.Exclusion)
		if err != nil {
			return nil, err
		}
		without := union(kept(terms[1:]))
		if terms[0] == nil || without == nil {
			return terms[0], nil
		}
		return &openfgav1.Userset{Userset: &openfgav1.Userset_Difference{Difference: &openfgav1.Difference{Base: terms[0], Subtract: without}}}, nil
	}
	return nil, fmt.Errorf("an operator %T is not translated", r.GetRewriteOperation())
}

// terms translates the parts of an expression: nil for a part that has nobody.
func (m *model) terms(typ string, o *core.SetOperation) ([]*openfgav1.Userset, error) {
	all := make([]*openfgav1.Userset, len(o.GetChild()))
	for i, child := range o.GetChild() {
		var err error
		if all[i], err = m.term(typ, child); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (m *model) term(typ string, c *core.SetOperation_Child) (*openfgav1.Userset, error) {
	switch t := c.GetChildType().(type) {
	case *core.SetOperation_Child_ComputedUserset:
		somebody, err := m.need(name{typ, t.ComputedUserset.GetRelation()})
		if err != nil || !somebody {
			return nil, err
		}
		return computed(t.ComputedUserset.GetRelation()), nil
	case *core.SetOperation_Child_UsersetRewrite:
		return m.rewrite(typ, t.UsersetRewrite)
	case *core.SetOperation_Child_TupleToUserset:
		return m.arrow(typ, t.TupleToUserset.GetTupleset().GetRelation(), t.TupleToUserset.GetComputedUserset().GetRelation())
	case *core.SetOperation_Child_FunctionedTupleToUserset:
		if t.FunctionedTupleToUserset.GetFunction() != core.FunctionedTupleToUserset_FUNCTION_ANY {
			return nil, errors.New("an arrow over all subjects is not translated")
		}
		return m.arrow(typ, t.FunctionedTupleToUserset.GetTupleset().GetRelation(), t.FunctionedTupleToUserset.GetComputedUserset().GetRelation())
	case *core.SetOperation_Child_XNil:
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	return nil, fmt.Errorf("a term %T is not translated", c.GetChildType())
}

// arrow translates what the subjects of a relation have. OpenFGA asks only for what at least
// one of their types knows.
func (m *model) arrow(typ, tupleset, target string) (*openfgav1.Userset, error) {
	if _, err := m.need(name{typ, tupleset}); err != nil {
		return nil, err
	}
	anybody := false
	for _, allowed := range m.schema[name{typ, tupleset}].GetTypeInformation().GetAllowedDirectRelations() {
		somebody, err := m.need(name{allowed.GetNamespace(), target})
		if err != nil {
			return nil, err
		}
		anybody = anybody || somebody
	}
	if !anybody {
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	return &openfgav1.Userset{Userset: &openfgav1.Userset_TupleToUserset{TupleToUserset: &openfgav1.TupleToUserset{
		Tupleset: &openfgav1.ObjectRelation{Relation: named(tupleset)}, ComputedUserset: &openfgav1.ObjectRelation{Relation: named(target)},
	}}}, nil
}

func computed(relation string) *openfgav1.Userset {
	return &openfgav1.Userset{Userset: &openfgav1.Userset_ComputedUserset{ComputedUserset: &openfgav1.ObjectRelation{Relation: named(relation)}}}
}

// union is nil of nothing, and of one set that set.
func union(sets []*openfgav1.Userset) *openfgav1.Userset {
	switch len(sets) {
	case 0:
		return nil
	case 1:
		return sets[0]
	}
	return &openfgav1.Userset{Userset: &openfgav1.Userset_Union{Union: &openfgav1.Usersets{Child: sets}}}
}

// kept leaves out the sets that have nobody.
func kept(sets []*openfgav1.Userset) []*openfgav1.Userset {
	var all []*openfgav1.Userset
	for _, s := range sets {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}
