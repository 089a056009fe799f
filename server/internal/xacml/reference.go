package xacml

import (
	"strconv"
	"strings"
)

// Resolver finds policies that sets refer to.
type Resolver interface {
	// Resolve returns the newest policy that r accepts, nil if there is none.
	Resolve(r Reference) (*Policy, error)
}

// Reference names a policy or set, and which of its versions will do.
type Reference struct {
	Set      bool
	ID       string
	Version  string // patterns such as 1.* or 2.+, "" for any
	Earliest string
	Latest   string
}

// Accepts says whether a policy is one that r refers to.
func (r Reference) Accepts(id PolicyID) bool {
	return id.Set == r.Set && id.ID == r.ID &&
		(r.Version == "" || matchVersion(r.Version, id.Version)) &&
		(r.Earliest == "" || orderVersion(r.Earliest, id.Version) <= 0) &&
		(r.Latest == "" || orderVersion(r.Latest, id.Version) >= 0)
}

// Library is a Resolver of a few policies that are at hand.
type Library []*Policy

// Resolve implements Resolver.
func (l Library) Resolve(r Reference) (*Policy, error) {
	var newest *Policy
	for _, p := range l {
		if r.Accepts(p.id) && (newest == nil || orderVersion(p.id.Version, newest.id.Version) > 0) {
			newest = p
		}
	}
	return newest, nil
}

func validVersion(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if part == "" || len(part) > 18 || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

func validPattern(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if part != "*" && part != "+" && !validVersion(part) {
			return false
		}
	}
	return true
}

// matchVersion says whether version is one that pattern is for: * is any one number,
// + any number and all that follow.
func matchVersion(pattern, version string) bool {
	wanted, given := strings.Split(pattern, "."), strings.Split(version, ".")
	for i, want := range wanted {
		switch {
		case want == "+":
			return true
		case i >= len(given):
			return false
		case want != "*" && number(want) != number(given[i]):
			return false
		}
	}
	return len(wanted) == len(given)
}

// orderVersion compares a pattern, or a version, with a version: -1 if it is earlier.
// Where the pattern is open it is equal.
func orderVersion(pattern, version string) int {
	wanted, given := strings.Split(pattern, "."), strings.Split(version, ".")
	for i := 0; i < len(wanted) || i < len(given); i++ {
		switch {
		case i >= len(wanted):
			return -1
		case wanted[i] == "+":
			return 0
		case i >= len(given):
			return 1
		case wanted[i] == "*":
			continue
		}
		if w, g := number(wanted[i]), number(given[i]); w != g {
			if w < g {
				return -1
			}
			return 1
		}
	}
	return 0
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // checked when it was read
	return n
}

// policyReference is a reference in a set. It is resolved when it is evaluated: a policy
// that nobody needs may be missing or broken.
type policyReference struct {
	to   Reference
	line int
}

func (r *policyReference) resolve(e *evaluation) (*Policy, *Status) {
	if e.options.References == nil {
		return nil, processing("policy %s is referred to and not available", r.to.ID)
	}
	if e.visited++; e.visited > maxPolicies {
		return nil, processing("more than %d policies are evaluated", maxPolicies)
	}
	p, err := e.options.References.Resolve(r.to)
	if err != nil {
		return nil, processing("policy %s: %v", r.to.ID, err)
	}
	if p == nil || !r.to.Accepts(p.id) {
		return nil, processing("no policy %s with an acceptable version is available", r.to.ID)
	}
	for _, open := range e.open {
		if open == p {
			return nil, processing("policy %s refers to itself", r.to.ID)
		}
	}
	if len(e.open) >= maxReferences {
		return nil, processing("references are nested deeper than %d", maxReferences)
	}
	return p, nil
}

// evaluate implements child.
func (r *policyReference) evaluate(e *evaluation) outcome {
	outer := e.enter(r)
	p, status := r.resolve(e)
	out := outcome{decision: IndeterminateDP, status: status}
	if p != nil {
		e.open = append(e.open, p)
		out = p.evaluate(e)
		e.open = e.open[:len(e.open)-1]
	}
	e.leave(outer, &out)
	return out
}

// applies implements child.
func (r *policyReference) applies(e *evaluation) (matched, *Status) {
	p, status := r.resolve(e)
	if status != nil {
		return uncertain, status
	}
	return p.target.evaluate(e)
}

// effect implements child.
func (r *policyReference) effect() (Effect, bool) { return DenyEffect, false }

// Choose returns a set of which the only policy that applies decides, for when several
// policies could be the one to ask.
func Choose(policies ...*Policy) *Policy {
	if len(policies) == 1 {
		return policies[0]
	}
	p := &Policy{id: PolicyID{Set: true, Version: "1.0"}, algorithm: algorithm{combine: chosen, name: "chosen by target"}}
	for _, c := range policies {
		p.children = append(p.children, c)
		p.uses = append(p.uses, c.uses...)
	}
	return p
}
