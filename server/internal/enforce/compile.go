package enforce

import (
	"slices"
	"strings"
)

// maxDepth bounds how deep rules stand in rules.
const maxDepth = 8

// kinds returns the names of the rules that a text gives. There must be one.
func (t ruleText) kinds() []string {
	var given []string
	for name, is := range map[string]bool{
		"public": t.Public != nil, "authenticated": t.Authenticated != nil, "level": t.Level != nil,
		"groups": t.Groups != nil, "permissions": t.Permissions != nil, "expression": t.Expression != nil, "relation": t.Relation != nil,
		"decision": t.Decision != nil, "all": t.All != nil, "any": t.Any != nil,
	} {
		if is {
			given = append(given, name)
		}
	}
	slices.Sort(given)
	return given
}

// compileRule returns a rule. On a fault it is one that lets nobody in.
func (c *compiler) compileRule(where string, t ruleText, depth int) rule {
	given := t.kinds()
	if len(given) != 1 || depth > maxDepth {
		c.fault("%s must be one of public, authenticated, level, groups, permissions, expression, relation, decision, all or any, at most %d deep; it has %d",
			where, maxDepth, len(given))
		return all(nil)
	}
	switch {
	case t.Public != nil:
		if !*t.Public || depth > 0 {
			c.fault("%s: public is true, and stands alone", where)
		}
		return public{}
	case t.Authenticated != nil:
		if !*t.Authenticated {
			c.fault("%s: authenticated is true; for everybody there is public", where)
		}
		return authenticated{}
	case t.Level != nil:
		if *t.Level < 1 || *t.Level > 4 {
			c.fault("%s: level must be 1 to 4", where)
		}
		return minimumLevel(*t.Level)
	case t.Groups != nil:
		c.texts(where+": groups", t.Groups)
		return anyGroup(t.Groups)
	case t.Permissions != nil:
		c.texts(where+": permissions", t.Permissions)
		return anyPermission(t.Permissions)
	case t.Expression != nil:
		return c.compileExpression(where, *t.Expression)
	case t.Relation != nil:
		return c.compileRelation(where, *t.Relation)
	case t.Decision != nil:
		return c.compileDecision(where, *t.Decision)
	case t.All != nil:
		return all(c.compileRules(where+".all", t.All, depth))
	}
	return either(c.compileRules(where+".any", t.Any, depth))
}

func (c *compiler) compileRules(where string, texts []ruleText, depth int) []rule {
	if len(texts) == 0 {
		c.fault("%s is empty", where)
	}
	rules := make([]rule, len(texts))
	for i, t := range texts {
		rules[i] = c.compileRule(where, t, depth+1)
	}
	return rules
}

func (c *compiler) texts(where string, all []string) {
	if len(all) == 0 || slices.Contains(all, "") {
		c.fault("%s must name some, none of them empty", where)
	}
}

// compileRelation reads type:id#relation.
func (c *compiler) compileRelation(where, text string) rule {
	objectType, rest, typed := strings.Cut(text, ":")
	last := strings.LastIndexByte(rest, '#')
	if !typed || last <= 0 || !isIdentifier(objectType) || !isIdentifier(rest[last+1:]) {
		c.fault("%s: relation %q must be like party:{path.partyId}#represent", where, text)
		return all(nil)
	}
	r := related{objectType, c.parseTemplate(rest[:last]), rest[last+1:]}
	for _, p := range r.id {
		if strings.Trim(p.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_|-=+") != "" {
			c.fault("%s: %q cannot be part of an object's id", where, p.text)
		}
	}
	return r
}

// isIdentifier says whether a text can name a definition, a relation or a permission.
func isIdentifier(text string) bool {
	return text != "" && len(text) <= 128 && text[0] >= 'a' && text[0] <= 'z' &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_/") == ""
}

func (c *compiler) compileDecision(where string, t decisionText) rule {
	if t.Action == "" {
		c.fault("%s: decision has no action", where)
	}
	isApp := t.Org != "" || t.App != ""
	if isApp == (t.Resource != "") || isApp && (t.Org == "" || t.App == "") {
		c.fault("%s: decision is about a resource, or about an app by org and app", where)
	}
	if t.Party == "" && c.route.party != nil {
		t.Party = "{party.id}"
	}
	return decided{
		resource: c.parseTemplate(t.Resource), org: c.parseTemplate(t.Org), app: c.parseTemplate(t.App),
		action: c.parseTemplate(t.Action), party: c.parseTemplate(t.Party), instance: c.parseTemplate(t.Instance),
	}
}
