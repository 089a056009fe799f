package xmltree

import (
	"fmt"
	"strings"
)

// refusedCalls are parts of XPath 1.0 that the library answers wrongly or not at all.
// An expression with one of them is refused when the policy is read, instead of being
// answered wrongly when it matters.
var refusedCalls = []string{"processing-instruction", "id", "lang"}

// refusedWords are words of XPath 2.0 that the library silently stops reading at.
var refusedWords = []string{"to", "for", "if", "some", "every", "return", "then", "else", "eq", "ne", "lt", "le", "gt", "ge", "is", "idiv", "intersect", "except", "instance", "castable", "cast", "treat"}

// acceptable refuses what the library does not do as XPath 1.0 says.
func acceptable(text string) error {
	tokens, err := tokenize(text)
	if err != nil {
		return err
	}
	depth := 0
	for i, token := range tokens {
		next := ""
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch token {
		case "$":
			return fmt.Errorf("variables are not available in the XPath expression %q", text)
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		}
		if depth < 0 {
			return fmt.Errorf("the XPath expression %q closes more than it opens", text)
		}
		for _, call := range refusedCalls {
			if token == call && next == "(" {
				return fmt.Errorf("%s() is not available in XPath expressions", call)
			}
		}
		for _, word := range refusedWords {
			if token == word && i > 0 && endsOperand(tokens[i-1]) || token == word && next == "$" {
				return fmt.Errorf("%q is not XPath 1.0", word)
			}
		}
	}
	if depth != 0 {
		return fmt.Errorf("the XPath expression %q is not closed", text)
	}
	return nil
}

// endsOperand says that a word after token stands where an operator must be.
func endsOperand(token string) bool {
	if token == ")" || token == "]" || token == "." || token == ".." || token == "*" {
		return true
	}
	c := token[0]
	return isNameByte(c) || c == '"' || c == '\''
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// tokenize cuts an expression into names, numbers, literals and single signs.
func tokenize(text string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("a literal in the XPath expression %q is not closed", text)
			}
			tokens = append(tokens, text[i:i+end+2])
			i += end + 2
		case isNameByte(c):
			start := i
			for i < len(text) && (isNameByte(text[i]) || text[i] == '-' || text[i] == '.') {
				i++
			}
			tokens = append(tokens, text[start:i])
		default:
			tokens = append(tokens, text[i:i+1])
			i++
		}
	}
	return tokens, nil
}
