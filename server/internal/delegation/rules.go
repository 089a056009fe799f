package delegation

import (
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// rightsIn returns the rights that rules of a policy permit to roles or packages, each once
// and in the order of the text.
func rightsIn(policy *xacml.Policy, resource string) []Right {
	var found []Right
	for _, rule := range policy.Rules() {
		if !toHolders(rule) {
			continue
		}
		tasks := tasksOf(rule)
		if len(tasks) == 0 {
			tasks = []string{""}
		}
		for _, task := range tasks {
			for _, action := range matches(rule.Target, xacml.ActionCategory, idAction) {
				if r := (Right{Resource: resource, Action: action, Task: task}); !slices.Contains(found, r) {
					found = append(found, r)
				}
			}
		}
	}
	return found
}

// offers reports whether a rule permits the right to some role or package.
func offers(policy *xacml.Policy, r Right) bool {
	return slices.ContainsFunc(policy.Rules(), func(rule xacml.Rule) bool {
		actions, tasks := matches(rule.Target, xacml.ActionCategory, idAction), tasksOf(rule)
		return toHolders(rule) && (slices.Contains(actions, r.Action) || !asks(rule.Target, xacml.ActionCategory)) &&
			(len(tasks) == 0 || slices.Contains(tasks, r.Task))
	})
}

// toHolders reports whether a rule permits something to those who have a role or package.
// What it permits to service owners or single parties is not theirs to pass on.
func toHolders(rule xacml.Rule) bool {
	if rule.Effect != xacml.PermitEffect {
		return false
	}
	for _, anyOf := range rule.Target {
		for _, allOf := range anyOf {
			if slices.ContainsFunc(allOf, func(m xacml.Match) bool { return m.Category == xacml.SubjectCategory && isHeld(m.ID) }) {
				return true
			}
		}
	}
	return false
}

// isHeld reports whether a subject's attribute is a role or an access package.
func isHeld(id string) bool {
	return id == idRole || id == idPackage || id == "urn:altinn:role" || strings.HasPrefix(id, "urn:altinn:external-role:")
}

func tasksOf(rule xacml.Rule) []string {
	return append(matches(rule.Target, xacml.ResourceCategory, idTask), matches(rule.Target, xacml.ResourceCategory, idEndEvent)...)
}

// matches returns the values that a target compares an attribute with.
func matches(target [][][]xacml.Match, category, id string) []string {
	var found []string
	for _, anyOf := range target {
		for _, allOf := range anyOf {
			for _, m := range allOf {
				if m.Category == category && m.ID == id && !slices.Contains(found, m.Value) {
					found = append(found, m.Value)
				}
			}
		}
	}
	return found
}

// asks reports whether a target compares anything of a category.
func asks(target [][][]xacml.Match, category string) bool {
	for _, anyOf := range target {
		for _, allOf := range anyOf {
			if slices.ContainsFunc(allOf, func(m xacml.Match) bool { return m.Category == category }) {
				return true
			}
		}
	}
	return false
}
