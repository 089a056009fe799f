package enforce

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/caller"
)

// identityText is what the routes file says of the identity headers.
type identityText struct {
	Preset  string            `yaml:"preset"`
	Headers map[string]string `yaml:"headers"` // names by what they tell, over those of the preset
	Token   *tokenText        `yaml:"token"`
}

// identityHeader is a header and what it tells.
type identityHeader struct {
	name  string
	tell  func(*question) string // nil for one that never has a value here
	token *identityToken         // of the header that carries the token
}

// tellers are what an identity header can tell.
var tellers = map[string]func(*question) string{
	"user":        func(q *question) string { return toldID(q.who) },
	"level":       level,
	"groups":      func(q *question) string { return list(q.who.Groups) },
	"permissions": func(q *question) string { return list(q.who.Permissions) },
	"party_id":    func(q *question) string { return number(int64(q.party.ID)) },
	"party_uuid":  func(q *question) string { return q.party.UUID },
	"party_org":   func(q *question) string { return q.party.OrgNumber },
}

// presets are the names that others know identity headers by. What a preset has a name for
// and nothing to tell is always removed: the service would believe the client's own.
var presets = map[string]map[string]string{
	"plain": {
		"user": "Behalf-User", "level": "Behalf-Level",
		"party_id": "Behalf-Party-Id", "party_uuid": "Behalf-Party-Uuid", "party_org": "Behalf-Party-Org",
	},
	"mia":          {"user": "miauserid", "groups": "miausergroups"},
	"oauth2-proxy": {"user": "X-Auth-Request-User", "groups": "X-Auth-Request-Groups"},
}

var presetRemoves = map[string][]string{
	"mia":          {"miauserproperties", "client-type", "isbackoffice"},
	"oauth2-proxy": {"X-Auth-Request-Email", "X-Auth-Request-Preferred-Username", "X-Auth-Request-Access-Token"},
}

func level(q *question) string {
	if q.who.Kind != caller.User {
		return ""
	}
	return fmt.Sprint(q.who.Level)
}

// list returns texts as a header has them. One that could be taken for several, or for
// something else, is left out: who relies on it gets less, never more.
func list(all []string) string {
	kept := slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ',' })
	})
	return strings.Join(kept, ",")
}

// compileIdentity returns the identity headers, sorted by name, and every fault.
func compileIdentity(text identityText) (all []identityHeader, faults []error) {
	preset := text.Preset
	if preset == "" {
		preset = "plain"
	}
	names, known := presets[preset]
	if !known {
		faults = append(faults, fmt.Errorf("identity: there is no preset %q, but plain, mia and oauth2-proxy", text.Preset))
	}
	names = maps.Clone(names)
	if names == nil {
		names = map[string]string{}
	}
	for what, name := range text.Headers {
		if tellers[what] == nil {
			faults = append(faults, fmt.Errorf("identity: nothing is known as %q; there are %s", what, strings.Join(slices.Sorted(maps.Keys(tellers)), ", ")))
			continue
		}
		names[what] = name
	}
	taken := map[string]bool{}
	add := func(h identityHeader) {
		name := h.name
		switch {
		case !isToken(name) || strings.Contains(name, "_"):
			faults = append(faults, fmt.Errorf("identity: %q cannot be the name of a header: letters, digits and -", name))
		case protected[alike(name)] || strings.HasPrefix(alike(name), "x-forwarded-") || strings.HasPrefix(alike(name), "x-original-"):
			faults = append(faults, fmt.Errorf("identity: the header %s is for something else", name))
		case taken[alike(name)]:
			faults = append(faults, fmt.Errorf("identity: two headers are named %s", name))
		default:
			taken[alike(name)] = true
			all = append(all, h)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(names)) {
		add(identityHeader{name: names[what], tell: tellers[what]})
	}
	for _, name := range presetRemoves[preset] {
		add(identityHeader{name: name})
	}
	if text.Token != nil {
		h, wrong := compileToken(*text.Token)
		add(h)
		faults = append(faults, wrong...)
	}
	// The plain names are never the client's to use, whatever the service reads.
	for _, what := range slices.Sorted(maps.Keys(presets["plain"])) {
		if name := presets["plain"][what]; !taken[alike(name)] {
			add(identityHeader{name: name})
		}
	}
	slices.SortFunc(all, func(a, b identityHeader) int { return strings.Compare(a.name, b.name) })
	return all, faults
}

// identityOf returns every identity header, each with its value or none.
func (t *Table) identityOf(q *question) (out []Header, err error) {
	out = make([]Header, len(t.identity))
	for i, h := range t.identity {
		out[i].Name = h.name
		switch {
		case h.token != nil:
			if out[i].Value, err = h.token.sign(q); err != nil {
				return nil, err
			}
		case h.tell != nil:
			out[i].Value = h.tell(q)
		}
	}
	return out, nil
}

// aliases returns the names of headers of the request that are no identity header to the
// letter and could be taken for one.
func (t *Table) aliases(h headers) []string {
	var found []string
	for _, line := range h.lines {
		if strings.Contains(line.Name, "_") && t.isIdentity(line.Name) && !slices.Contains(found, line.Name) {
			found = append(found, line.Name)
		}
	}
	return found
}

func (t *Table) isIdentity(name string) bool {
	name = alike(name)
	return slices.ContainsFunc(t.identity, func(h identityHeader) bool { return alike(h.name) == name })
}

// hopByHop says whether the request has an identity header, or the one that says for whom he
// acts, removed on the way: a proxy would take ours away after it was set.
func (t *Table) hopByHop(h headers) bool {
	for _, line := range h.values["connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if t.isIdentity(name) || alike(name) == partyHeader {
				return true
			}
		}
	}
	return false
}
