package value

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value is one value of a data type.
type Value struct {
	kind Kind
	text string // as it was written
	num  int64  // boolean, integer, bits of a double, months, seconds
	ext  any    // what else a type needs
}

// XPath is what an XPathExpression has besides its text.
type XPath struct {
	Category string            // whose content it is about
	Prefixes map[string]string // the namespaces in scope where it was written
}

// Kind returns the data type.
func (v Value) Kind() Kind { return v.kind }

// Text returns the value as it was written, or in its canonical form if it was computed.
func (v Value) Text() string { return v.text }

// Bool returns the value of a Boolean.
func (v Value) Bool() bool { return v.num != 0 }

// Int returns the value of an Integer.
func (v Value) Int() int64 { return v.num }

// Float returns the value of a Double.
func (v Value) Float() float64 { return math.Float64frombits(uint64(v.num)) }

// XPath returns what an XPathExpression has besides its text, nil for other types.
func (v Value) XPath() *XPath {
	x, _ := v.ext.(*XPath)
	return x
}

// OfString returns a String.
func OfString(s string) Value { return Value{kind: String, text: s} }

// OfURI returns an AnyURI.
func OfURI(s string) Value { return Value{kind: AnyURI, text: s} }

// OfBool returns a Boolean.
func OfBool(b bool) Value {
	if b {
		return Value{kind: Boolean, text: "true", num: 1}
	}
	return Value{kind: Boolean, text: "false"}
}

// OfInt returns an Integer.
func OfInt(i int64) Value { return Value{kind: Integer, text: strconv.FormatInt(i, 10), num: i} }

// OfFloat returns a Double.
func OfFloat(f float64) Value {
	return Value{kind: Double, text: formatDouble(f), num: int64(math.Float64bits(f))}
}

// OfUnknown returns a value of a type that nobody knows, which can only be passed on.
func OfUnknown(text string) Value { return Value{text: text} }

// OfXPath returns an XPathExpression.
func OfXPath(text string, x *XPath) Value {
	return Value{kind: XPathExpression, text: strings.Trim(text, " \t\r\n"), ext: x}
}

// Parse reads a text as a value of kind. An XPathExpression needs more than its text
// and is made by OfXPath.
func Parse(kind Kind, text string) (Value, error) {
	if kind == String {
		return Value{kind: String, text: text}, nil
	}
	trimmed := strings.Trim(text, " \t\r\n")
	v, err := parse(kind, trimmed)
	if err != nil {
		return Value{}, fmt.Errorf("%q is no %s: %w", clip(text), kind, err)
	}
	v.kind, v.text = kind, trimmed
	return v, nil
}

// clip keeps messages short when texts are not.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func parse(kind Kind, text string) (Value, error) {
	switch kind {
	case Boolean:
		return parseBoolean(text)
	case Integer:
		return parseInteger(text)
	case Double:
		return parseDouble(text)
	case Time:
		return parseTime(text)
	case Date:
		return parseDate(text)
	case DateTime:
		return parseDateTime(text)
	case DayTimeDuration:
		return parseDayTime(text)
	case YearMonthDuration:
		return parseYearMonth(text)
	case AnyURI:
		return parseURI(text)
	case HexBinary:
		return parseHex(text)
	case Base64Binary:
		return parseBase64(text)
	case RFC822Name:
		return parseMail(text)
	case X500Name:
		return parseX500(text)
	case IPAddress:
		return parseIP(text)
	case DNSName:
		return parseDNS(text)
	case XPathExpression:
		return Value{}, fmt.Errorf("an XPath expression needs a category")
	case Unknown, String:
	}
	return Value{}, fmt.Errorf("the data type is not known")
}
