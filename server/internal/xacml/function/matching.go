package function

import (
	"regexp"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// matching adds the functions of A.3.13 and A.3.14.
func (b *builder) matching() {
	for _, k := range []value.Kind{value.String, value.AnyURI, value.IPAddress, value.DNSName, value.RFC822Name, value.X500Name} {
		version := v2
		if k == value.String {
			version = v1
		}
		b.put(version, k.String()+"-regexp-match", one(value.Boolean), []Type{one(value.String), one(k)}, func(args []Operand) (Operand, error) {
			re, err := Pattern(args[0].Value.Text())
			if err != nil {
				return Operand{}, err
			}
			return truth(re.MatchString(args[1].Value.Text())), nil
		})
	}
	b.test(v1, "x500Name-match", ones(value.X500Name, 2), func(args []Operand) bool {
		return value.MatchX500(args[0].Value, args[1].Value)
	})
	b.test(v1, "rfc822Name-match", []Type{one(value.String), one(value.RFC822Name)}, func(args []Operand) bool {
		return value.MatchMail(args[0].Value.Text(), args[1].Value)
	})
}

// IsPattern says whether the first argument of f is a regular expression, which a
// policy that names it literally compiles once.
func (f *Function) IsPattern() bool {
	const suffix = "-regexp-match"
	return len(f.Name) > len(suffix) && f.Name[len(f.Name)-len(suffix):] == suffix
}

// WithPattern returns f with its first argument fixed to a compiled expression.
func (f *Function) WithPattern(re *regexp.Regexp) *Function {
	c := *f
	c.Call = func(args []Operand) (Operand, error) {
		return truth(re.MatchString(args[1].Value.Text())), nil
	}
	return &c
}

// special adds the functions that package xacml computes itself.
func (b *builder) special() {
	logic := func(name string, form Form, params []Type, least int) {
		f := b.put(v1, name, one(value.Boolean), params, nil)
		f.Form, f.Variadic, f.Least = form, true, least
	}
	logic("and", And, ones(value.Boolean, 1), 0)
	logic("or", Or, ones(value.Boolean, 1), 0)
	logic("n-of", NOf, []Type{one(value.Integer), one(value.Boolean)}, 1)
	b.test(v1, "not", ones(value.Boolean, 1), func(args []Operand) bool { return !args[0].Value.Bool() })
	for _, name := range []string{"any-of", "all-of", "any-of-any", "map"} {
		f := b.put(v3, name, one(value.Boolean), nil, nil)
		f.Form, f.Variadic = Higher, true
	}
	for _, name := range []string{"any-of-all", "all-of-any", "all-of-all"} {
		f := b.put(v1, name, one(value.Boolean), nil, nil)
		f.Form, f.Variadic = Higher, true
	}
	x := value.XPathExpression
	b.put(v3, "xpath-node-count", one(value.Integer), ones(x, 1), nil).Form = XPath
	b.put(v3, "xpath-node-equal", one(value.Boolean), ones(x, 2), nil).Form = XPath
	b.put(v3, "xpath-node-match", one(value.Boolean), ones(x, 2), nil).Form = XPath
}

// deprecated adds the identifiers of A.4 and of earlier versions that mean the same.
func (b *builder) deprecated() {
	for _, name := range []string{"any-of", "all-of", "any-of-any", "map"} {
		b.alias(v1+name, v3+name)
	}
	for _, name := range []string{"any-of-all", "all-of-any", "all-of-all"} {
		b.alias(v3+name, v1+name)
	}
	for _, k := range []value.Kind{value.DayTimeDuration, value.YearMonthDuration} {
		for _, suffix := range []string{"-equal", "-one-and-only", "-bag-size", "-is-in", "-bag", "-intersection", "-at-least-one-member-of", "-union", "-subset", "-set-equals"} {
			b.alias(v1+k.String()+suffix, v3+k.String()+suffix)
		}
		for _, name := range []string{"dateTime-add-", "dateTime-subtract-", "date-add-", "date-subtract-"} {
			b.alias(v1+name+k.String(), v3+name+k.String())
		}
	}
	b.alias(v1+"string-concatenate", v2+"string-concatenate")
	f := b.put(v2, "uri-string-concatenate", one(value.AnyURI), []Type{one(value.AnyURI), one(value.String)}, func(args []Operand) (Operand, error) {
		joined, err := concatenate(args)
		if err != nil {
			return Operand{}, err
		}
		uri, err := value.Parse(value.AnyURI, joined.Value.Text())
		return Operand{Value: uri}, err
	})
	f.Variadic, f.Least = true, 2
}
