package function

import (
	"fmt"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// maxText bounds strings that functions put together.
const maxText = 1 << 20

// text adds the functions of A.3.3 and those of A.3.9 that are about strings and URIs.
func (b *builder) text() {
	changes := map[string]func(string) string{
		"string-normalize-space":         func(s string) string { return strings.Trim(s, " \t\r\n") },
		"string-normalize-to-lower-case": strings.ToLower,
	}
	for name, change := range changes {
		b.put(v1, name, one(value.String), ones(value.String, 1), func(args []Operand) (Operand, error) {
			return Operand{Value: value.OfString(change(args[0].Value.Text()))}, nil
		})
	}
	f := b.put(v2, "string-concatenate", one(value.String), ones(value.String, 1), concatenate)
	f.Variadic, f.Least = true, 2
	finds := map[string]func(s, part string) bool{
		"-starts-with": strings.HasPrefix, "-ends-with": strings.HasSuffix, "-contains": strings.Contains,
	}
	for _, k := range []value.Kind{value.String, value.AnyURI} {
		for name, find := range finds {
			b.test(v3, k.String()+name, []Type{one(value.String), one(k)}, func(args []Operand) bool {
				return find(args[1].Value.Text(), args[0].Value.Text())
			})
		}
		params := []Type{one(k), one(value.Integer), one(value.Integer)}
		b.put(v3, k.String()+"-substring", one(value.String), params, substring)
	}
}

func concatenate(args []Operand) (Operand, error) {
	var joined strings.Builder
	for _, arg := range args {
		if joined.Len()+len(arg.Value.Text()) > maxText {
			return Operand{}, fmt.Errorf("the string would be longer than %d bytes", maxText)
		}
		joined.WriteString(arg.Value.Text())
	}
	return Operand{Value: value.OfString(joined.String())}, nil
}

// substring cuts characters, not bytes; -1 as the end is the end of the text.
func substring(args []Operand) (Operand, error) {
	text := []rune(args[0].Value.Text())
	begin, end := args[1].Value.Int(), args[2].Value.Int()
	if end == -1 {
		end = int64(len(text))
	}
	if begin < 0 || end < begin || end > int64(len(text)) {
		return Operand{}, fmt.Errorf("characters %d to %d are not in a text of %d", begin, end, len(text))
	}
	part := string(text[begin:end])
	if args[0].Value.Kind() == value.AnyURI {
		if _, err := value.Parse(value.AnyURI, part); err != nil {
			return Operand{}, err
		}
	}
	return Operand{Value: value.OfString(part)}, nil
}

// conversions adds the functions of A.3.9 from and to strings.
func (b *builder) conversions() {
	kinds := []value.Kind{
		value.Boolean, value.Integer, value.Double, value.Time, value.Date, value.DateTime, value.AnyURI,
		value.DayTimeDuration, value.YearMonthDuration, value.X500Name, value.RFC822Name, value.IPAddress, value.DNSName,
	}
	for _, k := range kinds {
		b.put(v3, k.String()+"-from-string", one(k), ones(value.String, 1), func(args []Operand) (Operand, error) {
			v, err := value.Parse(k, args[0].Value.Text())
			if err != nil {
				return Operand{}, &SyntaxError{err}
			}
			return Operand{Value: v}, nil
		})
		b.put(v3, "string-from-"+k.String(), one(value.String), ones(k, 1), func(args []Operand) (Operand, error) {
			return Operand{Value: value.OfString(args[0].Value.Canonical())}, nil
		})
	}
}
