package expression

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind is what a token is.
type kind uint8

const (
	end      kind = iota
	word          // a name: groups, in, true
	text          // a quoted text
	number        // 0 or 1
	operator      // a sign
)

type token struct {
	kind kind
	text string
	at   int
}

// signs are the operators, those that begin with another before it.
var signs = []string{"===", "!==", "==", "!=", "&&", "||", "!", "(", ")", "[", "]", ".", ","}

// lex returns the tokens of a text, the last of which is its end.
func lex(s string) ([]token, error) {
	var all []token
	for at := 0; at < len(s); {
		c := s[at]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			at++
			continue
		}
		t, size, err := next(s[at:])
		if err != nil {
			return nil, fmt.Errorf("at character %d: %w", at+1, err)
		}
		t.at = at
		all, at = append(all, t), at+size
	}
	return append(all, token{end, "", len(s)}), nil
}

// next returns the token that a text begins with, and its size.
func next(s string) (token, int, error) {
	c := s[0]
	switch {
	case letter(c):
		size := 1
		for size < len(s) && (letter(s[size]) || digit(s[size])) {
			size++
		}
		return token{kind: word, text: s[:size]}, size, nil
	case digit(c):
		size := 1
		for size < len(s) && (letter(s[size]) || digit(s[size])) {
			size++
		}
		if s[:size] != "0" && s[:size] != "1" {
			return token{}, 0, fmt.Errorf("%.20q is not 0 or 1", s[:size])
		}
		return token{kind: number, text: s[:size]}, size, nil
	case c == '"' || c == '\'':
		return quoted(s)
	}
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return token{kind: operator, text: sign}, len(sign), nil
		}
	}
	r, _ := utf8.DecodeRuneInString(s)
	return token{}, 0, fmt.Errorf("%q means nothing here", r)
}

// quoted returns the text between the quotes that s begins with.
func quoted(s string) (token, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			if b.Len() == 0 || !utf8.ValidString(b.String()) {
				return token{}, 0, fmt.Errorf("a text is empty, or is not UTF-8")
			}
			return token{kind: text, text: b.String()}, i + 1, nil
		case c < ' ' || c == 0x7f:
			return token{}, 0, fmt.Errorf("a text has a control character")
		case c == '\\':
			if i++; i == len(s) || strings.IndexByte(`\"'`, s[i]) < 0 {
				return token{}, 0, fmt.Errorf(`a text has an escape other than \\, \" and \'`)
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return token{}, 0, fmt.Errorf("a text does not end")
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
