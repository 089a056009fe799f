package function

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// maxPattern bounds the length of a regular expression.
const maxPattern = 2048

// Pattern compiles a regular expression of XPath 2.0 (XML Schema's, with anchors and
// reluctant quantifiers). It matches anywhere in a text, as xf:matches does. Running time
// is linear in the text, for which back-references are refused.
func Pattern(text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the regular expression is longer than %d bytes", maxPattern)
	}
	t := &translator{in: text}
	if err := t.all(); err != nil {
		return nil, fmt.Errorf("the regular expression %q: %w", text, err)
	}
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is not valid: %w", text, err)
	}
	return re, nil
}

// What the multi-character escapes of XML Schema stand for, as the inside of a class.
const (
	digitClass = `\p{Nd}`
	spaceClass = ` \t\n\r`
	nameStart  = `\p{L}\p{Nl}_:`
	nameClass  = `\p{L}\p{Nl}\p{M}\p{Nd}_:.·-`
)

// translator writes an expression of XPath as one of Go.
type translator struct {
	in  string
	at  int
	out strings.Builder
}

func (t *translator) all() error {
	for t.at < len(t.in) {
		switch c := t.in[t.at]; {
		case c == '\\':
			class, err := t.escape()
			if err != nil {
				return err
			}
			t.out.WriteString(class)
		case c == '[':
			class, err := t.class(0)
			if err != nil {
				return err
			}
			t.out.WriteString(class)
		case c == '.':
			t.out.WriteString(`[^\n\r]`)
			t.at++
		case strings.HasPrefix(t.in[t.at:], "(?"):
			return errors.New("groups that begin with (? are not available")
		default:
			_, size := utf8.DecodeRuneInString(t.in[t.at:])
			t.out.WriteString(t.in[t.at : t.at+size])
			t.at += size
		}
	}
	return nil
}

// escape reads what follows a backslash outside a class.
func (t *translator) escape() (string, error) {
	inside, negated, err := t.escaped()
	switch {
	case err != nil:
		return "", err
	case negated:
		return "[^" + inside + "]", nil
	case len(inside) > 2 || inside[0] != '\\':
		return "[" + inside + "]", nil
	}
	return inside, nil
}

// escaped reads a backslash and what it escapes, as the inside of a class of Go.
func (t *translator) escaped() (inside string, negated bool, err error) {
	if t.at+1 >= len(t.in) {
		return "", false, errors.New("it ends with a backslash")
	}
	c := t.in[t.at+1]
	t.at += 2
	switch c {
	case 'd', 'D':
		return digitClass, c == 'D', nil
	case 's', 'S':
		return spaceClass, c == 'S', nil
	case 'w': // all but punctuation, separators and others
		return `\p{P}\p{Z}\p{C}`, true, nil
	case 'W':
		return `\p{P}\p{Z}\p{C}`, false, nil
	case 'i', 'I':
		return nameStart, c == 'I', nil
	case 'c', 'C':
		return nameClass, c == 'C', nil
	case 'n', 'r', 't':
		return `\` + string(c), false, nil
	case 'p', 'P':
		return t.category(c)
	}
	if c >= '1' && c <= '9' {
		return "", false, errors.New("back-references are not available")
	}
	if strings.IndexByte(`\|.?*+(){}-[]^$`, c) < 0 {
		return "", false, fmt.Errorf(`\%c is no escape`, c)
	}
	return `\` + string(c), false, nil
}

// category reads {L} after \p.
func (t *translator) category(c byte) (inside string, negated bool, err error) {
	end := strings.IndexByte(t.in[t.at:], '}')
	if t.at >= len(t.in) || t.in[t.at] != '{' || end < 0 {
		return "", false, errors.New(`want \p{…}`)
	}
	name := t.in[t.at+1 : t.at+end]
	t.at += end + 1
	if strings.HasPrefix(name, "Is") {
		return "", false, fmt.Errorf("blocks such as %s are not available", name)
	}
	return `\p{` + name + `}`, c == 'P', nil
}

// class reads a class, with subtraction such as [a-z-[aeiou]], and writes it as ranges.
func (t *translator) class(depth int) (string, error) {
	const deepest = 8
	if depth > deepest {
		return "", errors.New("classes are nested too deep")
	}
	t.at++ // [
	negated := strings.HasPrefix(t.in[t.at:], "^")
	if negated {
		t.at++
	}
	var ranges, minus []rune
	for first := true; ; first = false {
		switch {
		case t.at >= len(t.in):
			return "", errors.New("a class is not closed")
		case t.in[t.at] == ']' && !first:
			t.at++
			return writeClass(ranges, minus, negated), nil
		case strings.HasPrefix(t.in[t.at:], "-[") && !first:
			t.at++
			subtracted, err := t.class(depth + 1)
			if err != nil {
				return "", err
			}
			if minus, err = rangesOf(subtracted); err != nil {
				return "", err
			}
			if t.at >= len(t.in) || t.in[t.at] != ']' {
				return "", errors.New("a subtraction must be the last part of a class")
			}
		default:
			part, err := t.classPart()
			if err != nil {
				return "", err
			}
			ranges = append(ranges, part...)
		}
	}
}

// classPart reads one character, range or escape of a class.
func (t *translator) classPart() ([]rune, error) {
	low, set, err := t.classRune()
	if err != nil || set != nil {
		return set, err
	}
	isRange := t.at+1 < len(t.in) && t.in[t.at] == '-' && t.in[t.at+1] != ']' && t.in[t.at+1] != '['
	if !isRange {
		return []rune{low, low}, nil
	}
	t.at++
	high, set, err := t.classRune()
	if err != nil {
		return nil, err
	}
	if set != nil || high < low {
		return nil, errors.New("a range of a class is not in order")
	}
	return []rune{low, high}, nil
}

// classRune reads a character, or an escape that stands for a set.
func (t *translator) classRune() (rune, []rune, error) {
	if t.at >= len(t.in) {
		return 0, nil, errors.New("a class is not closed")
	}
	if t.in[t.at] == '[' {
		return 0, nil, errors.New(`[ in a class is written \[`)
	}
	if t.in[t.at] != '\\' {
		r, size := utf8.DecodeRuneInString(t.in[t.at:])
		t.at += size
		return r, nil, nil
	}
	inside, negated, err := t.escaped()
	if err != nil {
		return 0, nil, err
	}
	prefix := "["
	if negated {
		prefix = "[^"
	}
	set, err := rangesOf(prefix + inside + "]")
	if err == nil && len(set) == 2 && set[0] == set[1] {
		return set[0], nil, nil
	}
	return 0, set, err
}

// rangesOf lets Go say which characters a class has.
func rangesOf(class string) ([]rune, error) {
	re, err := syntax.Parse(class, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("a class is not valid: %w", err)
	}
	switch re.Op {
	case syntax.OpCharClass:
		return re.Rune, nil
	case syntax.OpLiteral:
		return []rune{re.Rune[0], re.Rune[0]}, nil
	case syntax.OpAnyChar:
		return []rune{0, utf8.MaxRune}, nil
	case syntax.OpNoMatch:
		return []rune{}, nil
	default:
		return nil, errors.New("a class is not valid")
	}
}

// writeClass writes ranges without minus.
func writeClass(ranges, minus []rune, negated bool) string {
	class := classText(ranges, negated)
	if len(minus) == 0 {
		return class
	}
	// What is in a and not in b is what is neither in the complement of a nor in b.
	left, err := rangesOf(classText(ranges, !negated))
	if err != nil {
		return class
	}
	return classText(append(append([]rune{}, left...), minus...), true)
}

func classText(ranges []rune, negated bool) string {
	var b strings.Builder
	b.WriteString("[")
	if negated {
		b.WriteString("^")
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		fmt.Fprintf(&b, `\x{%X}-\x{%X}`, ranges[i], ranges[i+1])
	}
	if len(ranges) == 0 { // nothing, whose complement is everything
		if negated {
			return `[\x{0}-\x{10FFFF}]`
		}
		return `[^\x{0}-\x{10FFFF}]`
	}
	b.WriteString("]")
	return b.String()
}
