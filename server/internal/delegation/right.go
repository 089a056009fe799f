package delegation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/schema/roles"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/relation"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// The attributes that rights and those who have them are known by in policies.
const (
	idOrg      = "urn:altinn:org"
	idApp      = "urn:altinn:app"
	idResource = "urn:altinn:resource"
	idTask     = "urn:altinn:task"
	idEndEvent = "urn:altinn:end-event"
	idParty    = "urn:altinn:partyid"
	idInstance = "urn:altinn:resource:instance-id"
	idRole     = "urn:altinn:rolecode"
	idPackage  = "urn:altinn:accesspackage"
	idAction   = "urn:oasis:names:tc:xacml:1.0:action:action-id"
)

// mayGiveRight says whether a user may pass a right on. A service that acts in its own name
// may pass on any right that the policy gives to a role or package.
func (s *Service) mayGiveRight(ctx context.Context, from party.Party, right Right, user party.UserID) error {
	policy, err := s.policy(ctx, right.Resource)
	if err != nil {
		return err
	}
	if !offers(policy, right) {
		return refused(fault.NotFound, ReasonUnknownRight, "right.action",
			"the policy of %s gives %q to no role or access package%s", right.Resource, right.Action, inTask(right.Task))
	}
	if user == 0 {
		return nil
	}
	may, err := s.mayUse(ctx, policy, from.ID, user)
	if err != nil {
		return err
	}
	if !may.permits(policy, from.ID, right) {
		return rightNotDelegable(right)
	}
	return nil
}

func rightNotDelegable(r Right) *fault.Error {
	return refused(fault.Denied, ReasonRightNotDelegable, "right.action",
		"the policy of %s does not permit %q%s by a role or access package that the user may pass on", r.Resource, r.Action, inTask(r.Task))
}

func inTask(task string) string {
	if task == "" {
		return ""
	}
	return fmt.Sprintf(" in task %q", task)
}

// policy returns the policy of a resource.
func (s *Service) policy(ctx context.Context, resource string) (*xacml.Policy, error) {
	policy, err := s.policies.Policy(ctx, resource)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.NotFound {
		return nil, refused(f.Kind, f.Reason, "right.resource", "%s has no policy, and so nothing that could be passed on", resource).Because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("find the policy of %s: %w", resource, err)
	}
	return policy, nil
}

// passable is what policies know a user by, of which he may pass on what it gives him: the
// roles that he has for the party, and the access packages that he may delegate.
type passable xacml.Attributes

// mayUse returns what a policy asks for, of what the user may pass on for the party.
func (s *Service) mayUse(ctx context.Context, policy *xacml.Policy, of party.ID, user party.UserID) (passable, error) {
	held, _, err := s.roles.Roles(ctx, relation.At{}, of, user)
	if err != nil {
		return passable{}, err
	}
	values := map[string][]string{}
	for _, r := range held {
		values[idRole] = append(values[idRole], r.Code, strings.ToLower(r.Code))
		for _, urn := range []string{r.URN, r.LegacyURN} {
			if id, name := splitURN(urn); id != "" && id != idRole {
				values[id] = append(values[id], name)
			}
		}
	}
	wanted := s.packagesIn(policy)
	if values[idPackage], err = s.delegable(ctx, of, user, wanted); err != nil {
		return passable{}, err
	}
	out := passable{Category: xacml.SubjectCategory}
	for id, texts := range values {
		a := xacml.Attribute{ID: id}
		for _, text := range texts {
			a.Values = append(a.Values, xacml.StringValue(text))
		}
		out.Attributes = append(out.Attributes, a)
	}
	return out, nil
}

// delegable returns, by the last part of its URN, each package that the user may delegate.
func (s *Service) delegable(ctx context.Context, of party.ID, user party.UserID, wanted []roles.Package) ([]string, error) {
	questions := make([]relation.Question, len(wanted))
	for i, p := range wanted {
		questions[i] = relation.Question{
			Object: relation.Party(int64(of)), Permission: "may_delegate_pkg_" + p.Relation, Subject: relation.User(int64(user)),
		}
	}
	yes, err := s.ask(ctx, questions)
	if err != nil {
		return nil, err
	}
	var found []string
	for i, p := range wanted {
		if _, name := splitURN(p.URN); yes[i] {
			found = append(found, name)
		}
	}
	return found, nil
}

// ask asks questions, none of which may fail.
func (s *Service) ask(ctx context.Context, questions []relation.Question) ([]bool, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	answers, _, err := s.relations.Check(ctx, relation.At{}, questions...)
	if err != nil {
		return nil, err
	}
	yes := make([]bool, len(answers))
	for i, a := range answers {
		if a.Err != nil {
			return nil, fmt.Errorf("check %s#%s@%s: %w", questions[i].Object, questions[i].Permission, questions[i].Subject, a.Err)
		}
		yes[i] = a.Allowed
	}
	return yes, nil
}

// packagesIn returns the access packages that rules of the policy name.
func (s *Service) packagesIn(policy *xacml.Policy) []roles.Package {
	var found []roles.Package
	for _, rule := range policy.Rules() {
		for _, m := range matches(rule.Target, xacml.SubjectCategory, idPackage) {
			p, ok := s.catalogue.Package(m)
			if ok && !slices.ContainsFunc(found, func(q roles.Package) bool { return q.Relation == p.Relation }) {
				found = append(found, p)
			}
		}
	}
	return found
}

// permits asks the policy, as a decision would.
func (p passable) permits(policy *xacml.Policy, of party.ID, r Right) bool {
	resource := xacml.Attributes{Category: xacml.ResourceCategory}
	add := func(id, text string) {
		resource.Attributes = append(resource.Attributes, xacml.Attribute{ID: id, Values: []xacml.AttributeValue{xacml.StringValue(text)}})
	}
	add(idResource, r.Resource)
	if org, app, ok := appOf(r.Resource); ok {
		add(idOrg, org)
		add(idApp, app)
	}
	add(idParty, relation.Party(int64(of)).ID)
	if r.Task != "" {
		add(idTask, r.Task)
		add(idEndEvent, r.Task)
	}
	if r.Instance != "" {
		add(idInstance, r.Instance)
	}
	request := &xacml.Request{Categories: []xacml.Attributes{
		xacml.Attributes(p), resource,
		{Category: xacml.ActionCategory, Attributes: []xacml.Attribute{{ID: idAction, Values: []xacml.AttributeValue{xacml.StringValue(r.Action)}}}},
	}}
	return policy.Evaluate(request, xacml.Options{}).Decision == xacml.Permit
}

// appOf splits the resource id of an app.
func appOf(resource string) (org, app string, ok bool) {
	rest, ok := strings.CutPrefix(resource, "app_")
	if !ok {
		return "", "", false
	}
	org, app, ok = strings.Cut(rest, "_")
	return org, app, ok
}

func splitURN(urn string) (id, last string) {
	i := strings.LastIndexByte(urn, ':')
	if i < 0 {
		return "", urn
	}
	return urn[:i], urn[i+1:]
}
