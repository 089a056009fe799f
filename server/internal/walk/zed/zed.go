package zed

import (
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/walk"
)

// Definitions returns the definitions of a schema as they are walked.
func Definitions(all map[string]*core.NamespaceDefinition) []walk.Definition {
	out := make([]walk.Definition, 0, len(all))
	for _, d := range all {
		def := walk.Definition{Name: d.GetName()}
		for _, r := range d.GetRelation() {
			def.Relations = append(def.Relations, relation(r))
		}
		out = append(out, def)
	}
	return out
}

func relation(r *core.Relation) walk.Relation {
	out := walk.Relation{Name: r.GetName()}
	if r.GetUsersetRewrite() != nil {
		out.Expr = rewrite(r.GetUsersetRewrite())
		return out
	}
	for _, allowed := range r.GetTypeInformation().GetAllowedDirectRelations() {
		s := walk.SubjectType{Type: allowed.GetNamespace(), Wildcard: allowed.GetPublicWildcard() != nil}
		if name := allowed.GetRelation(); name != tuple.Ellipsis {
			s.Relation = name
		}
		out.Subjects = append(out.Subjects, s)
	}
	return out
}

func rewrite(r *core.UsersetRewrite) *walk.Expr {
	switch op := r.GetRewriteOperation().(type) {
	case *core.UsersetRewrite_Union:
		return &walk.Expr{Op: walk.Union, Kids: kids(op.Union)}
	case *core.UsersetRewrite_Intersection:
		return &walk.Expr{Op: walk.Intersection, Kids: kids(op.Intersection)}
	case *core.UsersetRewrite_Exclusion:
		return &walk.Expr{Op: walk.Exclusion, Kids: kids(op.Exclusion)}
	}
	return &walk.Expr{}
}

func kids(o *core.SetOperation) []*walk.Expr {
	out := make([]*walk.Expr, len(o.GetChild()))
	for i, child := range o.GetChild() {
		out[i] = term(child)
	}
	return out
}

func term(c *core.SetOperation_Child) *walk.Expr {
	switch t := c.GetChildType().(type) {
	case *core.SetOperation_Child_ComputedUserset:
		if t.ComputedUserset.GetObject() == core.ComputedUserset_TUPLE_OBJECT {
			return &walk.Expr{Op: walk.Computed, Relation: t.ComputedUserset.GetRelation()}
		}
	case *core.SetOperation_Child_UsersetRewrite:
		return rewrite(t.UsersetRewrite)
	case *core.SetOperation_Child_TupleToUserset:
		return arrow(walk.Arrow, t.TupleToUserset.GetTupleset().GetRelation(), t.TupleToUserset.GetComputedUserset())
	case *core.SetOperation_Child_FunctionedTupleToUserset:
		return functioned(t.FunctionedTupleToUserset)
	case *core.SetOperation_Child_XNil:
		return &walk.Expr{Op: walk.Nil}
	case *core.SetOperation_Child_XSelf:
		return &walk.Expr{Op: walk.Self}
	}
	return &walk.Expr{}
}

func functioned(t *core.FunctionedTupleToUserset) *walk.Expr {
	switch t.GetFunction() {
	case core.FunctionedTupleToUserset_FUNCTION_ANY:
		return arrow(walk.Arrow, t.GetTupleset().GetRelation(), t.GetComputedUserset())
	case core.FunctionedTupleToUserset_FUNCTION_ALL:
		return arrow(walk.All, t.GetTupleset().GetRelation(), t.GetComputedUserset())
	case core.FunctionedTupleToUserset_FUNCTION_UNSPECIFIED:
	}
	return &walk.Expr{}
}

func arrow(op walk.Op, tupleset string, target *core.ComputedUserset) *walk.Expr {
	if target.GetObject() != core.ComputedUserset_TUPLE_USERSET_OBJECT {
		return &walk.Expr{}
	}
	return &walk.Expr{Op: op, Relation: tupleset, Target: target.GetRelation()}
}
