package evaluation

import (
	"context"
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/policy"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// subjects returns who may be a result of a search for subjects. Of a policy nobody can say
// whom it lets in, so that all of the type whom the graph knows may be.
func subjects(ctx context.Context, c *call, q *Question) ([]string, error) {
	ref, _, err := c.policy(ctx, q.Resource)
	switch {
	case err != nil:
		return nil, err
	case ref != (policy.Ref{}) || q.Resource.Type == idInstance:
		return c.objects(ctx, q.Subject.Type)
	}
	resource, known := object(q.Resource)
	typ := definition(q.Subject.Type)
	if !known || !definitionName.MatchString(typ) || !relationName.MatchString(q.Action.Name) {
		return nil, nil
	}
	found, _, err := c.service.lister.CandidateSubjects(ctx, relation.At{}, resource, q.Action.Name, typ, caveats(q))
	return c.candidates(ctx, q.Subject.Type, found, err)
}

// resources returns what may be a result of a search for resources.
func resources(ctx context.Context, c *call, q *Question) ([]string, error) {
	typ := q.Resource.Type
	switch typ {
	case idApp, idResource:
		return c.withPolicies(ctx, typ)
	}
	ref, _, err := c.policy(ctx, Entity{Type: typ, ID: "-"}) // that of the type: no app and no resource has this name
	if err != nil {
		return nil, err
	}
	var ids []string
	if ref.Kind() == policy.OfType {
		ids, err = c.objects(ctx, typ)
	} else {
		ids, err = c.related(ctx, q)
	}
	if err != nil || typ != typeApp && typ != typeResource {
		return ids, err
	}
	named, err := c.withPolicies(ctx, typ)
	return append(ids, named...), err
}

// related returns the resources that the graph relates the subject to.
func (c *call) related(ctx context.Context, q *Question) ([]string, error) {
	subject, known := object(q.Subject)
	typ := definition(q.Resource.Type)
	if !known || !definitionName.MatchString(typ) || !relationName.MatchString(q.Action.Name) {
		return nil, nil
	}
	found, _, err := c.service.lister.CandidateResources(ctx, relation.At{}, typ, q.Action.Name, relation.Subject{Object: subject}, caveats(q))
	return c.candidates(ctx, q.Resource.Type, found, err)
}

// candidates returns what was found as questions call it. Where a caveat could not be read
// without knowing of which object, all objects may be results.
func (c *call) candidates(ctx context.Context, typ string, found relation.Candidates, err error) ([]string, error) {
	if err != nil {
		asked, unknown := errorOf(err)
		switch {
		case unknown:
			return nil, nil
		case !asked:
			return nil, err
		}
		return c.objects(ctx, typ)
	}
	ids := shown(found.IDs)
	if !found.Everyone {
		return ids, nil
	}
	all, err := c.objects(ctx, typ)
	return append(ids, all...), err
}

// objects returns all objects of a type that the graph knows.
func (c *call) objects(ctx context.Context, typ string) ([]string, error) {
	ids, _, err := c.service.lister.Objects(ctx, relation.At{}, definition(typ))
	return shown(ids), err
}

func shown(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = shownID(id)
	}
	return out
}

// withPolicies returns the apps or resources that a policy is stored for.
func (c *call) withPolicies(ctx context.Context, typ string) ([]string, error) {
	objects, _, err := c.service.lister.Objects(ctx, relation.At{}, relation.TypePolicy)
	if err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	var ids []string
	for _, id := range objects {
		parts, err := relation.SplitID(id)
		if err != nil || len(parts) != 1 {
			continue
		}
		ref := policy.Resource(parts[0])
		app := typ == typeApp || typ == idApp
		switch {
		case app && ref.Kind() == policy.OfApp:
			ids = append(ids, ref.Org()+"/"+ref.Name())
		case !app:
			ids = append(ids, ref.ResourceID())
		}
	}
	return ids, nil
}

// actions returns what may be a result of a search for actions: what the rules of the policy
// name or, of a definition, its permissions; its relations when it has no permission.
func actions(ctx context.Context, c *call, q *Question) ([]string, error) {
	ref, p, err := c.policy(ctx, q.Resource)
	switch {
	case err != nil:
		return nil, err
	case ref != (policy.Ref{}):
		return namedActions(p.Compiled), nil
	}
	permissions, relations, ok, err := c.service.lister.Permissions(ctx, relation.At{}, definition(q.Resource.Type))
	switch {
	case err != nil || !ok:
		return nil, err
	case len(permissions) > 0:
		return permissions, nil
	}
	return relations, nil
}

// namedActions returns the actions that a policy compares with.
func namedActions(p *xacml.Policy) []string {
	if p == nil {
		return nil
	}
	var names []string
	look := func(target [][][]xacml.Match) {
		for _, anyOf := range target {
			for _, allOf := range anyOf {
				for _, m := range allOf {
					if m.Category == xacml.ActionCategory && (m.ID == actionID || m.ID == ofAction+"name") && strings.HasPrefix(m.Function, "string-equal") {
						names = append(names, m.Value)
					}
				}
			}
		}
	}
	look(p.Target())
	for _, r := range p.Rules() {
		look(r.Target)
	}
	return names
}
