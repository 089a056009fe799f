package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

// walkWorld is a random schema with the objects and relations that its tuples are made of.
type walkWorld struct {
	rnd     *rand.Rand
	schema  string
	kinds   []string                      // definitions besides user
	allowed map[string][]relation.Subject // by type#relation: the subject types, id "*" for a wildcard
	expires map[string]bool               // by type#relation@type#relation: with expiration
	caveats map[string]bool
	rels    []string // type#relation
	all     []string // type#name of relations and permissions
	objects map[string][]string
	users   []string
	ordered bool     // no object is reached from itself, nor a permission
	named   []string // the permissions that the one being drawn may name
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// newWalkWorld draws a schema. Not every one compiles.
func newWalkWorld(seed uint64) *walkWorld {
	w := &walkWorld{
		rnd: rand.New(rand.NewPCG(seed, 1)), allowed: map[string][]relation.Subject{},
		expires: map[string]bool{}, caveats: map[string]bool{}, objects: map[string][]string{},
	}
	for i := range 1 + w.rnd.IntN(3) {
		w.kinds = append(w.kinds, fmt.Sprintf("kind%d", i))
	}
	relations := map[string][]string{}
	permissions := map[string][]string{}
	for _, k := range w.kinds {
		for i := range 1 + w.rnd.IntN(4) {
			relations[k] = append(relations[k], fmt.Sprintf("rel%d", i))
		}
		for i := range 1 + w.rnd.IntN(4) {
			permissions[k] = append(permissions[k], fmt.Sprintf("perm%d", i))
		}
		for i := range 2 + w.rnd.IntN(4) {
			w.objects[k] = append(w.objects[k], fmt.Sprintf("%s_%d", k[4:], i))
		}
	}
	for i := range 2 + w.rnd.IntN(4) {
		w.users = append(w.users, fmt.Sprintf("u%d", i))
	}
	w.objects["user"] = w.users
	w.ordered = w.rnd.IntN(4) > 0 || !*walkCycles
	withSelf := w.rnd.IntN(4) == 0
	var b strings.Builder
	b.WriteString("use expiration\n")
	if withSelf {
		b.WriteString("use self\n")
	}
	b.WriteString("\ncaveat open(hour int) {\n\thour > 8\n}\n\ndefinition user {}\n")
	for _, k := range w.kinds {
		fmt.Fprintf(&b, "\ndefinition %s {\n", k)
		for _, r := range relations[k] {
			fmt.Fprintf(&b, "\trelation %s: %s\n", r, w.subjects(k+"#"+r, relations, permissions))
			w.rels, w.all = append(w.rels, k+"#"+r), append(w.all, k+"#"+r)
		}
		for i, p := range permissions[k] {
			w.named = permissions[k]
			if w.ordered {
				w.named = permissions[k][:i]
			}
			fmt.Fprintf(&b, "\tpermission %s = %s\n", p, w.expression(k, relations, permissions, withSelf, 0))
			w.all = append(w.all, k+"#"+p)
		}
		b.WriteString("}\n")
	}
	w.schema = b.String()
	return w
}

// subjects draws what a relation allows.
func (w *walkWorld) subjects(rel string, relations, permissions map[string][]string) string {
	seen := map[string]bool{}
	var texts []string
	for range 1 + w.rnd.IntN(3) {
		var s relation.Subject
		text := ""
		switch w.rnd.IntN(8) {
		case 0, 1, 2:
			s = relation.Subject{Object: relation.Object{Type: "user"}}
			text = "user"
		case 3:
			s = relation.Subject{Object: relation.Object{Type: "user", ID: "*"}}
			text = "user:*"
		case 4, 5:
			s = relation.Subject{Object: relation.Object{Type: pick(w.rnd, w.kinds)}}
			text = s.Type
		default:
			k := pick(w.rnd, w.kinds)
			name := pick(w.rnd, append(append([]string{}, relations[k]...), permissions[k]...))
			s = relation.Subject{Object: relation.Object{Type: k}, Relation: name}
			text = k + "#" + name
		}
		if seen[text] {
			continue
		}
		seen[text] = true
		key := rel + "@" + text
		switch {
		case w.rnd.IntN(5) == 0:
			w.expires[key] = true
			texts = append(texts, text+" with expiration")
		case w.rnd.IntN(25) == 0:
			w.caveats[key] = true
			texts = append(texts, text+" with open")
		default:
			texts = append(texts, text)
		}
		w.allowed[rel] = append(w.allowed[rel], s)
	}
	return strings.Join(texts, " | ")
}

// expression draws what a permission is.
func (w *walkWorld) expression(k string, relations, permissions map[string][]string, withSelf bool, deep int) string {
	if deep < 2 && w.rnd.IntN(3) > 0 {
		op := pick(w.rnd, []string{" + ", " + ", " + ", " & ", " - "})
		n := 2 + w.rnd.IntN(2)
		terms := make([]string, n)
		for i := range terms {
			terms[i] = w.expression(k, relations, permissions, withSelf, deep+1)
		}
		return "(" + strings.Join(terms, op) + ")"
	}
	switch w.rnd.IntN(10) {
	case 0, 1, 2, 3:
		return pick(w.rnd, relations[k])
	case 4, 5:
		return pick(w.rnd, append(w.named[:len(w.named):len(w.named)], relations[k][0]))
	case 6:
		if withSelf {
			return "self"
		}
		if w.rnd.IntN(4) == 0 {
			return "nil"
		}
	case 7:
		other := pick(w.rnd, w.kinds)
		return fmt.Sprintf("%s.all(%s)", pick(w.rnd, relations[k]), pick(w.rnd, permissions[other]))
	}
	other := pick(w.rnd, w.kinds)
	return pick(w.rnd, relations[k]) + "->" + pick(w.rnd, append(append([]string{}, relations[other]...), permissions[other]...))
}

// tuple draws a relationship that the schema allows.
func (w *walkWorld) tuple(now time.Time) (r relation.Relationship, caveated bool) {
	rel := pick(w.rnd, w.rels)
	typ, name, _ := strings.Cut(rel, "#")
	s := pick(w.rnd, w.allowed[rel])
	text := s.Type
	if s.ID == "*" {
		text += ":*"
	} else {
		s.ID = pick(w.rnd, w.objects[s.Type])
	}
	if s.Relation != "" {
		text += "#" + s.Relation
	}
	resource := relation.Object{Type: typ, ID: pick(w.rnd, w.objects[typ])}
	if w.ordered && s.Type != "user" && s.Object.String()[4:] <= resource.String()[4:] {
		return w.tuple(now)
	}
	r = relation.Relationship{Resource: resource, Relation: name, Subject: s}
	if w.expires[rel+"@"+text] {
		r.Expires = now.Add(time.Duration(1+w.rnd.IntN(4)) * time.Hour)
	}
	return r, w.caveats[rel+"@"+text]
}

// subjectsAsked are all who questions are asked about.
func (w *walkWorld) subjectsAsked() []relation.Subject {
	var out []relation.Subject
	for _, u := range append([]string{"nobody"}, w.users...) {
		out = append(out, relation.Subject{Object: relation.Object{Type: "user", ID: u}})
	}
	for _, k := range w.kinds {
		for _, id := range w.objects[k][:2] {
			out = append(out, relation.Subject{Object: relation.Object{Type: k, ID: id}})
		}
	}
	for range 4 {
		k, name, _ := strings.Cut(pick(w.rnd, w.all), "#")
		out = append(out, relation.Subject{Object: relation.Object{Type: k, ID: pick(w.rnd, append(w.objects[k], "nowhere"))}, Relation: name})
	}
	return out
}
