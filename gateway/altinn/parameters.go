package altinn

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/gateway/problem"
)

// pair is one parameter of a query.
type pair struct{ name, value string }

// parameters reads the parameters of a request as ASP.NET binds them: by name without
// regard to case, the first of several, an absent one is its type's zero. It collects what
// is wrong with them all.
type parameters struct {
	pairs  []pair
	errors map[string][]string
}

// readQuery splits a query, in its order: a map would make the first of two userids a
// matter of chance.
func readQuery(raw string) *parameters {
	p := &parameters{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, errName := url.QueryUnescape(name)
		v, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			n, v = name, value // an escape that is none stands for itself
		}
		p.pairs = append(p.pairs, pair{n, v})
	}
	return p
}

// text returns a parameter, and whether it was given.
func (p *parameters) text(name string) (string, bool) {
	for _, q := range p.pairs {
		if strings.EqualFold(q.name, name) {
			return q.value, true
		}
	}
	return "", false
}

// int returns a parameter of 32 bits, 0 when it is absent.
func (p *parameters) int(name string) int64 {
	value, given := p.text(name)
	if !given {
		return 0
	}
	return p.parse(name, value)
}

// parse reads a number of 32 bits.
func (p *parameters) parse(name, value string) int64 {
	trimmed := strings.TrimSpace(value)
	if trimmed == "" {
		p.refuse(name, "The value '"+value+"' is invalid.")
		return 0
	}
	n, err := strconv.ParseInt(trimmed, 10, 32)
	if err != nil {
		p.refuse(name, "The value '"+value+"' is not valid.")
		return 0
	}
	return n
}

// bool returns a parameter that is true or false, in any case.
func (p *parameters) bool(name string, absent bool) bool {
	value, given := p.text(name)
	switch {
	case !given:
		return absent
	case strings.EqualFold(value, "true"):
		return true
	case strings.EqualFold(value, "false"):
		return false
	}
	p.refuse(name, "The value '"+value+"' is not valid: give true or false.")
	return absent
}

// refuse notes what is wrong with a parameter.
func (p *parameters) refuse(name, message string) {
	if p.errors == nil {
		p.errors = make(map[string][]string)
	}
	p.errors[name] = append(p.errors[name], message)
}

// with returns the query with one parameter set anew, as text.
func (p *parameters) with(name, value string) string {
	var b strings.Builder
	for _, q := range p.pairs {
		if strings.EqualFold(q.name, name) {
			continue
		}
		b.WriteString(url.QueryEscape(q.name) + "=" + url.QueryEscape(q.value) + "&")
	}
	b.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
	return b.String()
}

// parameterErrors names the faults that a service found by the parameters they came from.
func parameterErrors(p problem.Problem) map[string][]string {
	errs := make(map[string][]string)
	for _, v := range p.Violations {
		name := parameterOf(v.Field)
		errs[name] = append(errs[name], v.Message)
	}
	if len(errs) > 0 {
		return errs
	}
	switch p.Reason {
	case "UNKNOWN_ROLE":
		return map[string][]string{"role": {p.Detail}}
	case "INVALID_PAGE_TOKEN":
		return map[string][]string{"cursor": {p.Detail}}
	}
	return map[string][]string{"": {p.Detail}}
}

// parameterOf returns the parameter that a field of a call was read from.
func parameterOf(field string) string {
	switch field {
	case "page_size":
		return "limit"
	case "page_token":
		return "cursor"
	case "order":
		return "sort"
	case "user_id":
		return "userid"
	case "party_id":
		return "partyId"
	}
	return field
}

// all returns every value that a parameter was given.
func (p *parameters) all(name string) []string {
	var values []string
	for _, q := range p.pairs {
		if strings.EqualFold(q.name, name) {
			values = append(values, q.value)
		}
	}
	return values
}

// boolOrAuto returns a parameter that is true, false or auto, which leaves it to us.
func (p *parameters) boolOrAuto(name string, auto bool) bool {
	if value, _ := p.text(name); strings.EqualFold(value, "auto") {
		return auto
	}
	return p.bool(name, auto)
}
