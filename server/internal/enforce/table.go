package enforce

import (
	"fmt"
	"slices"
	"strings"
)

// Table is a routes file, ready to be asked. The zero Table lets nobody in.
type Table struct {
	identity []identityHeader
	grants   grants
	mia      miaAnswers
	routes   []*route // the most specific path first
}

// Len returns the number of routes.
func (t *Table) Len() int { return len(t.routes) }

// route is one route.
type route struct {
	name    string
	host    string // empty for any; with *. before it for any one label there
	methods []string
	pattern pattern
	party   *actingParty // nil when nobody acts for a party
	rule    rule
}

// find returns the route of a request and its path's parameters, nil when there is none.
//
// The most specific host decides alone: routes of others are no way around those that its
// owner wrote for it. So does the most specific path: a method that none of its routes takes
// is not let in by a wider path, such as a public /**.
func (t *Table) find(method, host string, path Path) (*route, map[string]string) {
	class := t.class(host)
	for i, r := range t.routes {
		if r.host != class {
			continue
		}
		if _, ok := r.pattern.match(path); !ok {
			continue
		}
		for _, same := range t.routes[i:] {
			if same.host == class && same.pattern.compare(r.pattern) == 0 && same.takes(method) {
				parameters, _ := same.pattern.match(path)
				return same, parameters
			}
		}
		return nil, nil
	}
	return nil, nil
}

// class returns the host as routes name it: itself, its wildcard, or empty for those of any.
func (t *Table) class(host string) string {
	wildcard := ""
	if _, domain, ok := strings.Cut(host, "."); ok {
		wildcard = "*." + domain
	}
	best := ""
	for _, r := range t.routes {
		switch r.host {
		case host:
			return host
		case wildcard:
			best = wildcard
		}
	}
	return best
}

// methods are those that a route can take.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func (r *route) takes(method string) bool { return slices.Contains(r.methods, method) }

// compile returns the table of a file, and every fault of it.
func compile(file fileText) (*Table, []error) {
	t := &Table{}
	var faults []error
	t.identity, faults = compileIdentity(file.Identity)
	granted, wrong := compileGrants(file.Relations)
	t.grants, faults = granted, append(faults, wrong...)
	mia, wrong := compileMia(file.Mia)
	t.mia, faults = mia, append(faults, wrong...)
	t.routes, wrong = compileAuth(file.auth)
	faults = append(faults, wrong...)
	if len(file.Routes) == 0 && len(t.routes) == 0 {
		faults = append(faults, fmt.Errorf("has no routes"))
	}
	names := map[string]bool{}
	for i, text := range file.Routes {
		c := &compiler{where: fmt.Sprintf("route %d", i+1), route: &route{}}
		if text.Name != "" {
			c.where = fmt.Sprintf("route %q", text.Name)
		}
		if names[text.Name] {
			c.fault("another route has the same name")
		}
		names[text.Name] = true
		c.compile(text)
		faults = append(faults, c.faults...)
		t.routes = append(t.routes, c.route)
	}
	slices.SortStableFunc(t.routes, func(a, b *route) int { return a.pattern.compare(b.pattern) })
	return t, append(faults, t.overlaps()...)
}

// overlaps returns a fault for every two routes of which nobody could say which one counts.
func (t *Table) overlaps() []error {
	var faults []error
	for i, a := range t.routes {
		for _, b := range t.routes[i+1:] {
			if a.pattern.compare(b.pattern) != 0 {
				break // sorted
			}
			if a.host == b.host && slices.ContainsFunc(a.methods, b.takes) && a.name != "" && b.name != "" {
				faults = append(faults, fmt.Errorf("routes %q and %q take the same requests", a.name, b.name))
			}
		}
	}
	return faults
}

func (c *compiler) compile(text routeText) {
	r := c.route
	if r.name = text.Name; !isRouteName(text.Name) {
		c.fault("name %q must be 1 to 64 of a-z, 0-9, - and _", text.Name)
	}
	c.compileHost(text.Host)
	c.compileMethods(text.Methods)
	var err error
	if c.pattern, err = parsePattern(text.Path); err != nil {
		c.fault("%w", err)
	}
	r.pattern = c.pattern
	if text.Party != nil {
		r.party = c.compileParty(*text.Party)
	}
	r.rule = c.compileRule("rule", text.Rule, 0)
	if _, open := r.rule.(public); open && r.party != nil {
		c.fault("a public route has no party: nobody would be asked who he is")
	}
}

func isRouteName(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (c *compiler) compileHost(text string) {
	if text == "" {
		return
	}
	domain, wildcard := strings.CutPrefix(text, "*.")
	host, err := parseHost(domain)
	if err != nil || strings.Contains(domain, ":") {
		c.fault("host %q must be a name such as api.example.com or *.example.com, without a port", text)
		return
	}
	if c.route.host = host; wildcard {
		c.route.host = "*." + host
	}
}

func (c *compiler) compileMethods(given []string) {
	if len(given) == 0 {
		c.fault("has no methods")
	}
	for _, m := range given {
		switch {
		case m == "*" && len(given) == 1:
			c.route.methods = methods
		case !slices.Contains(methods, m):
			c.fault("method %q must be one of %s, or * alone", m, strings.Join(methods, ", "))
		case slices.Contains(c.route.methods, m):
			c.fault("method %s is there twice", m)
		default:
			c.route.methods = append(c.route.methods, m)
		}
	}
}
