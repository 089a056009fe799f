package decision

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/role"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Paths tells by which relationships a user has the roles that he has for a party.
type Paths interface {
	Paths(ctx context.Context, at relation.At, of party.ID, user party.UserID) ([]role.Path, relation.Revision, error)
}

// Explanation is how a decision came about.
type Explanation struct {
	Policy   xacml.PolicyID
	Rule     string       // that decided, "" if none did
	Trace    *xacml.Trace // what each part of the policy decided, and why
	Paths    []Path       // by which the subject has what the policy asks about
	Level    int          // of authentication that the obligations ask for, 0 for none
	Wanted   []Wanted     // attributes any of whose values would do for the nearest rule
	Question *xacml.Request
}

// Path is how a subject has something for the resource's party.
type Path struct {
	Gives string   // role:DAGL, package:jordbruk or right:app_skd_taxreport/read
	Steps []string // relationships, from the party to the subject
}

// Wanted is an attribute of the subject and those values that a rule takes.
type Wanted struct {
	ID     string
	Values []string
}

// minimumLevel is the category of the obligation that asks for a level of authentication.
const minimumLevel = "urn:altinn:minimum-authenticationlevel"

// explain fills the answer's explanation. What cannot be read for it is left out: it must
// not change the decision that it explains.
func (q *question) explain(ctx context.Context, p Policy, a *Answer) {
	e := &Explanation{Policy: p.Compiled.ID(), Trace: a.Trace, Question: q.request, Level: requiredLevel(a.Obligations)}
	if a.Trace != nil {
		e.Rule = a.Trace.Rule()
		if a.Decision == xacml.NotApplicable {
			e.Wanted = wanted(a.Trace.Nearest())
		}
	}
	w := q.call.service.wanting.of(p.Compiled)
	e.Paths = append(e.Paths, q.delegatedPath...)
	held := q.heldRoles(ctx, w)
	for _, h := range held {
		e.Paths = append(e.Paths, Path{Gives: "role:" + h.Role.Code, Steps: texts(h.Steps)})
	}
	e.Paths = append(e.Paths, q.packagePaths(ctx, w, held)...)
	a.Explanation = e
}

// requiredLevel returns the highest level that obligations ask for.
func requiredLevel(obligations []xacml.Obligation) int {
	level := 0
	for _, o := range obligations {
		for _, a := range o.Assignments {
			if n, err := strconv.Atoi(a.Value.Text); err == nil && a.Category == minimumLevel {
				level = max(level, n)
			}
		}
	}
	return level
}

// heldRoles returns the paths to the user's roles.
func (q *question) heldRoles(ctx context.Context, w *wants) []role.Path {
	if q.subject.User == 0 || q.resource.Party == 0 || !w.roles && len(w.rolesByURN) == 0 && len(w.packages) == 0 {
		return nil
	}
	held, _, err := q.call.service.paths.Paths(ctx, relation.At{}, q.resource.Party, q.subject.User)
	if err != nil {
		q.call.service.logger.WarnContext(ctx, "the paths of a decision could not be read", "error", err)
		return nil
	}
	return held
}

// packagePaths returns the paths to those packages, of all that the policy asks about, that
// the subject has: by a role of his, or because he was given them.
func (q *question) packagePaths(ctx context.Context, w *wants, held []role.Path) []Path {
	who := q.actsAs()
	if who == (relation.Subject{}) || q.resource.Party == 0 || len(w.packages) == 0 {
		return nil
	}
	all, err := q.call.service.packages.Packages(ctx, q.resource.Party, who, w.packages)
	var paths []Path
	for _, p := range all {
		steps, ok := q.byRole(p, held)
		if !ok {
			steps, ok, err = q.call.service.packages.PackagePath(ctx, q.resource.Party, who, p)
		}
		if err != nil {
			break
		}
		if !ok { // it has the package; by which of its ways is not told apart
			steps = []string{relation.Party(int64(q.resource.Party)).String() + "#has_pkg_" + p.Relation + "@" + who.String()}
		}
		paths = append(paths, Path{Gives: "package:" + lastPart(p.URN), Steps: steps})
	}
	if err != nil {
		q.call.service.logger.WarnContext(ctx, "the paths of a decision could not be read", "error", err)
	}
	return paths
}

// byRole returns the path to a role that brings the package. A role that another implies
// brings none.
func (q *question) byRole(p roles.Package, held []role.Path) ([]string, bool) {
	for _, g := range p.Grants {
		i := slices.IndexFunc(held, func(h role.Path) bool {
			return h.Role.Relation == g.Role && slices.ContainsFunc(h.Steps, func(step relation.Relationship) bool {
				r, _, ok := q.call.service.wanting.catalogue.Held(step.Relation)
				return ok && r.Relation == g.Role
			})
		})
		if g.Access && i >= 0 && (g.UnitType == "" || strings.EqualFold(g.UnitType, q.owner.UnitType)) {
			return append(texts(held[i].Steps), "role:"+held[i].Role.Code+" gives package:"+lastPart(p.URN)), true
		}
	}
	return nil, false
}

func texts(steps []relation.Relationship) []string {
	out := make([]string, len(steps))
	for i, s := range steps {
		out[i] = s.Resource.String() + "#" + s.Relation + "@" + s.Subject.String()
	}
	return out
}

// wanted returns which attributes of the subject the nearest rule lacks.
func wanted(nearest *xacml.Trace) []Wanted {
	if nearest == nil {
		return nil
	}
	var out []Wanted
	for _, any := range nearest.Failed {
		for _, alternative := range any.Alternatives {
			for _, m := range alternative {
				if m.Category == xacml.SubjectCategory {
					out = want(out, m.ID, m.Wanted)
				}
			}
		}
	}
	return out
}

func want(all []Wanted, id, text string) []Wanted {
	i := slices.IndexFunc(all, func(w Wanted) bool { return w.ID == id })
	if i < 0 {
		return append(all, Wanted{ID: id, Values: []string{text}})
	}
	if !slices.Contains(all[i].Values, text) {
		all[i].Values = append(all[i].Values, text)
	}
	return all
}
