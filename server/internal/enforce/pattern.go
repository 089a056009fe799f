package enforce

import (
	"fmt"
	"slices"
	"strings"
)

// segmentKind is what a segment of a pattern takes, the most specific first.
type segmentKind uint8

const (
	literal segmentKind = iota
	named               // {name}: any one segment, which is a parameter
	anyOne              // *: any one segment
	rest                // **: any number of segments, at the end
)

type patternSegment struct {
	kind segmentKind
	text string // of a literal; the name of a parameter
}

// pattern is the path of a route.
type pattern []patternSegment

// parsePattern reads a path of the routes file, such as /parties/{partyId}/orders/**.
func parsePattern(text string) (pattern, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("path %q must begin with a slash", text)
	}
	if text == "/" {
		return pattern{}, nil
	}
	var p pattern
	for part := range strings.SplitSeq(text[1:], "/") {
		if n := len(p); n > 0 && p[n-1].kind == rest {
			return nil, fmt.Errorf("path %q: ** may only be the last segment", text)
		}
		s, err := parsePatternSegment(part)
		if err != nil {
			return nil, fmt.Errorf("path %q: %w", text, err)
		}
		if s.kind == named && p.has(s.text) {
			return nil, fmt.Errorf("path %q has two parameters %s", text, s.text)
		}
		p = append(p, s)
	}
	return p, nil
}

func parsePatternSegment(part string) (patternSegment, error) {
	name, opened := strings.CutPrefix(part, "{")
	name, closed := strings.CutSuffix(name, "}")
	switch {
	case part == "**":
		return patternSegment{kind: rest}, nil
	case part == "*":
		return patternSegment{kind: anyOne}, nil
	case opened && closed && isName(name):
		return patternSegment{named, name}, nil
	case strings.ContainsAny(part, "{}*"):
		return patternSegment{}, fmt.Errorf("segment %q must be a text, {name}, * or **", part)
	}
	text, err := decodeSegment(part)
	if err != nil {
		return patternSegment{}, fmt.Errorf("segment %q can never be asked for: write it as it is decoded once, without empty and dot segments", part)
	}
	return patternSegment{literal, text}, nil
}

// isName says whether a text can name a parameter.
func isName(text string) bool {
	return text != "" && len(text) <= 64 && text[0] > '9' &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func (p pattern) has(name string) bool {
	return slices.ContainsFunc(p, func(s patternSegment) bool { return s.kind == named && s.text == name })
}

// compare orders patterns, the more specific first: segment by segment a text comes before
// a parameter, that before *, and that before **. Names of parameters make no difference, so
// that two patterns that compare equal take the same paths.
func (p pattern) compare(o pattern) int {
	return slices.CompareFunc(p, o, func(a, b patternSegment) int {
		kindOf := func(s patternSegment) int {
			if s.kind == anyOne { // takes what a parameter takes
				return int(named)
			}
			return int(s.kind)
		}
		if c := kindOf(a) - kindOf(b); c != 0 || a.kind != literal {
			return c
		}
		return strings.Compare(a.text, b.text)
	})
}

// match returns the parameters of a path, and whether it is one of the pattern's.
func (p pattern) match(path Path) (parameters map[string]string, ok bool) {
	for i, s := range p {
		if s.kind == rest {
			return parameters, true
		}
		if i >= len(path.segments) || s.kind == literal && s.text != path.segments[i] {
			return nil, false
		}
		if s.kind == named {
			if parameters == nil {
				parameters = make(map[string]string, 2)
			}
			parameters[s.text] = path.segments[i]
		}
	}
	return parameters, len(p) == len(path.segments)
}
