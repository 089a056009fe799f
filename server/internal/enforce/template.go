package enforce

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/party"
)

// template is a text of the routes file in which {…} stands for what a request says.
type template []templatePart

// templatePart is a text, or a place with the name of what stands there.
type templatePart struct {
	text   string
	source string // path, header, user, party; empty for a text
	name   string
}

// userFields and partyFields are what {user.…} and {party.…} can stand for.
var (
	userFields = map[string]func(caller.Caller) string{
		"id": userID, "subject": func(c caller.Caller) string { return c.IssuedTo }, "consumer": func(c caller.Caller) string { return c.Consumer },
		"party": func(c caller.Caller) string { return number(c.PartyID) }, "org": func(c caller.Caller) string { return c.Org },
	}
	partyFields = map[string]func(party.Party) string{
		"id": func(p party.Party) string { return number(int64(p.ID)) }, "uuid": func(p party.Party) string { return p.UUID },
		"org": func(p party.Party) string { return p.OrgNumber },
	}
)

func userID(c caller.Caller) string {
	if c.Kind != caller.User {
		return ""
	}
	return number(c.UserID)
}

// number returns a number that is known, empty when it is not.
func number(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// parseTemplate reads a text with places. What cannot be known on the route is a fault.
func (c *compiler) parseTemplate(text string) template {
	var t template
	left := text
	for {
		before, after, found := strings.Cut(left, "{")
		if strings.Contains(before, "}") {
			c.fault("%q has a brace that nothing opens", text)
		}
		if before != "" {
			t = append(t, templatePart{text: before})
		}
		if !found {
			return t
		}
		place, behind, closed := strings.Cut(after, "}")
		if !closed {
			c.fault("%q has a brace that nothing closes", text)
			return t
		}
		t, left = append(t, c.place(place)), behind
	}
}

func (c *compiler) place(place string) templatePart {
	source, name, _ := strings.Cut(place, ".")
	part := templatePart{source: source, name: name}
	known := false
	switch source {
	case "path":
		known = c.pattern.has(name)
	case "header":
		part.name = strings.ToLower(name)
		known = isToken(name) && !strings.Contains(name, "_") && !protected[part.name]
	case "user":
		_, known = userFields[name]
	case "party":
		_, known = partyFields[name]
		known = known && c.route.party != nil
	}
	if !known {
		c.fault("{%s} is not known here: there are {path.<parameter of the path>}, {header.<name>}, {user.id}, {user.subject}, {user.party}, {user.org}, {user.consumer} "+
			"and, where the route says party, {party.id}, {party.uuid} and {party.org}", place)
	}
	return part
}

// maxValue bounds what stands in a place.
const maxValue = 512

// fill returns the text with what the request says, and whether it says all of it. A value
// stands for one part of a name only: letters, digits and a few marks that separate nothing.
func (t template) fill(q *question) (text string, ok bool) {
	var b strings.Builder
	for _, p := range t {
		if p.source == "" {
			b.WriteString(p.text)
			continue
		}
		v := p.value(q)
		if !plainValue(v) {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), true
}

func (p templatePart) value(q *question) string {
	switch p.source {
	case "path":
		return q.parameters[p.name]
	case "header":
		v, _ := q.headers.single(p.name)
		return v
	case "user":
		return userFields[p.name](q.who)
	case "party":
		return partyFields[p.name](q.party)
	}
	return ""
}

func plainValue(v string) bool {
	return v != "" && len(v) <= maxValue &&
		strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == ""
}

// compiler turns the text of one route into a route, and notes its faults.
type compiler struct {
	where   string
	pattern pattern
	route   *route
	faults  []error
}

func (c *compiler) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("%s: "+format, append([]any{c.where}, args...)...))
}
