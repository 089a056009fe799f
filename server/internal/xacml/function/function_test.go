package function_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml/function"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"J.* Hib.*tt", "Julius Hibbert", false},
		{"J.*Hib.*rt", "Julius Hibbert", true},
		{"ib", "Hibbert", true},
		{"^ib", "Hibbert", false},
		{"[a-z-[aeiou]]+$", "bcd", true},
		{"^[a-z-[aeiou]]+$", "bad", false},
		{"^[^a-c-[x]]$", "x", false},
		{"^[^a-c-[x]]$", "d", true},
		{`^\d{3}$`, "٣٤٥", true},
		{`^\w+$`, "æøå_", false},
		{`^\w+$`, "æøå", true},
		{`^\i\c*$`, "x-1.a", true},
		{`^[\i-[:]][\c-[:]]*$`, "a:b", false},
		{`^[\d\-]+$`, "1-2", true},
		{`^\p{Lu}\P{Lu}$`, "Aa", true},
		{`^a.b$`, "a\nb", false},
		{`a+?b`, "aab", true},
		{`^[.]$`, "x", false},
		{`http://[a-z.]*/`, "http://medico.com/record", true},
	}
	for _, test := range tests {
		re, err := function.Pattern(test.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := re.MatchString(test.text); got != test.want {
			t.Errorf("%s on %q: %v (as %s)", test.pattern, test.text, got, re)
		}
	}
	for _, pattern := range []string{`(a)\1`, `(?i)a`, `\b`, `\Aa`, `[a`, `[[:alpha:]]`, `a{2000}`, `\x41`, `\`, `[z-a]`, `(`, `\p{IsGreek}`, `[a-[b]c]`} {
		if re, err := function.Pattern(pattern); err == nil {
			t.Errorf("%s was taken as %s", pattern, re)
		}
	}
}

const prefix = "urn:oasis:names:tc:xacml:"

func TestCall(t *testing.T) {
	str, num, dbl := value.OfString, value.OfInt, value.OfFloat
	tests := []struct {
		id   string
		args []value.Value
		want string // "" is an error
	}{
		{"1.0:function:integer-add", []value.Value{num(1), num(2), num(3)}, "6"},
		{"1.0:function:integer-add", []value.Value{num(1 << 62), num(1 << 62)}, ""},
		{"1.0:function:integer-subtract", []value.Value{num(-1 << 63), num(1)}, ""},
		{"1.0:function:integer-multiply", []value.Value{num(1 << 40), num(-1 << 40)}, ""},
		{"1.0:function:integer-divide", []value.Value{num(-7), num(2)}, "-3"},
		{"1.0:function:integer-divide", []value.Value{num(1), num(0)}, ""},
		{"1.0:function:integer-mod", []value.Value{num(-7), num(2)}, "-1"},
		{"1.0:function:double-divide", []value.Value{dbl(1), dbl(0)}, ""},
		{"1.0:function:round", []value.Value{dbl(-2.5)}, "-2.0E0"},
		{"1.0:function:floor", []value.Value{dbl(-2.5)}, "-3.0E0"},
		{"1.0:function:double-to-integer", []value.Value{dbl(-2.9)}, "-2"},
		{"1.0:function:double-to-integer", []value.Value{dbl(1e300)}, ""},
		{"3.0:function:string-substring", []value.Value{str("blåbær"), num(2), num(-1)}, "åbær"},
		{"3.0:function:string-substring", []value.Value{str("abc"), num(-2), num(3)}, ""},
		{"3.0:function:string-substring", []value.Value{str("abc"), num(2), num(4)}, ""},
		{"3.0:function:string-starts-with", []value.Value{str("ab"), str("abc")}, "true"},
		{"3.0:function:anyURI-ends-with", []value.Value{str("ab"), value.OfURI("http://abc")}, "false"},
		{"3.0:function:integer-from-string", []value.Value{str("x")}, ""},
		{"3.0:function:string-from-integer", []value.Value{num(7)}, "7"},
		{"2.0:function:string-concatenate", []value.Value{str("a"), str("b"), str("c")}, "abc"},
		{"3.0:function:string-equal-ignore-case", []value.Value{str("ÅSE"), str("åse")}, "true"},
		{"1.0:function:string-normalize-space", []value.Value{str("  a  b\n")}, "a  b"},
	}
	for _, test := range tests {
		f, ok := function.Lookup(prefix + test.id)
		if !ok {
			t.Errorf("no function %s", test.id)
			continue
		}
		args := make([]function.Operand, len(test.args))
		types := make([]function.Type, len(test.args))
		for i, v := range test.args {
			args[i].Value, types[i].Kind = v, v.Kind()
		}
		if err := f.Accepts(types); err != nil {
			t.Error(err)
			continue
		}
		got, err := f.Call(args)
		if (err != nil) != (test.want == "") || err == nil && got.Value.Text() != test.want {
			t.Errorf("%s: %q, %v, want %q", test.id, got.Value.Text(), err, test.want)
		}
	}
}

// TestMandatory holds that every function that core 10.2.8 asks for is there, with the
// number of arguments it takes.
func TestMandatory(t *testing.T) {
	type version = string
	want := map[string]int{}
	put := func(v version, args int, names ...string) {
		for _, name := range names {
			want[prefix+v+":function:"+name] = args
		}
	}
	basic := []string{"string", "boolean", "integer", "double", "time", "date", "dateTime", "anyURI", "hexBinary", "base64Binary", "x500Name", "rfc822Name"}
	for _, v := range []struct {
		version version
		types   []string
		sets    bool
	}{{"1.0", basic, true}, {"3.0", []string{"dayTimeDuration", "yearMonthDuration"}, true}, {"2.0", []string{"ipAddress", "dnsName"}, false}} {
		for _, name := range v.types {
			put(v.version, 1, name+"-one-and-only", name+"-bag-size", name+"-bag")
			if v.sets {
				put(v.version, 2, name+"-equal", name+"-is-in", name+"-intersection", name+"-at-least-one-member-of", name+"-union", name+"-subset", name+"-set-equals")
			}
			if name != "string" && name != "hexBinary" && name != "base64Binary" {
				put("3.0", 1, name+"-from-string", "string-from-"+name)
			}
		}
	}
	for _, name := range []string{"integer", "double", "string", "time", "date", "dateTime"} {
		put("1.0", 2, name+"-greater-than", name+"-greater-than-or-equal", name+"-less-than", name+"-less-than-or-equal")
	}
	for _, name := range []string{"integer", "double"} {
		put("1.0", 2, name+"-add", name+"-subtract", name+"-multiply", name+"-divide")
		put("1.0", 1, name+"-abs")
	}
	put("1.0", 2, "integer-mod", "string-regexp-match", "x500Name-match", "rfc822Name-match")
	put("2.0", 2, "anyURI-regexp-match", "ipAddress-regexp-match", "dnsName-regexp-match", "rfc822Name-regexp-match", "x500Name-regexp-match", "string-concatenate")
	put("1.0", 1, "round", "floor", "string-normalize-space", "string-normalize-to-lower-case", "double-to-integer", "integer-to-double", "not", "and", "or")
	put("1.0", 2, "n-of")
	put("2.0", 3, "time-in-range")
	put("3.0", 2, "string-equal-ignore-case", "dateTime-add-dayTimeDuration", "dateTime-add-yearMonthDuration", "dateTime-subtract-dayTimeDuration",
		"dateTime-subtract-yearMonthDuration", "date-add-yearMonthDuration", "date-subtract-yearMonthDuration",
		"string-starts-with", "anyURI-starts-with", "string-ends-with", "anyURI-ends-with", "string-contains", "anyURI-contains")
	put("3.0", 3, "string-substring", "anyURI-substring")
	put("3.0", -1, "any-of", "all-of", "any-of-any", "map")
	put("1.0", -1, "all-of-any", "any-of-all", "all-of-all")
	for id, args := range want {
		f, ok := function.Lookup(id)
		if !ok {
			t.Errorf("no %s", id)
			continue
		}
		if args < 0 {
			continue
		}
		types := make([]function.Type, args)
		for i := range types {
			types[i] = f.Param(i)
		}
		if err := f.Accepts(types); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	t.Logf("%d functions", len(want))
}
