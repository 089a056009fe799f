package brreg

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
)

// maxElement is the greatest length of one object in bytes. The largest in the public
// files is a few hundred kilobytes.
const maxElement = 4 << 20

// element is the text of one object, or of a stretch that is none.
type element struct {
	text  []byte // valid until the next one is read
	line  int64  // the line on which it begins
	fault string
}

// errTruncated is the end of a file that does not end where it should. What it lacks
// would be taken for removed, so it is no file to import.
var errTruncated = errors.New("the file ends before its array does; it is incomplete, fetch it again")

// elements cuts a text into objects without understanding them, so that one which is
// malformed costs no other. What it cannot have been JSON it gives up at once, and looks
// for the beginning of the next object in what it has taken and then in what follows.
type elements struct {
	r      *bufio.Reader
	again  []byte // text that was taken and is to be read once more, before r
	line   int64  // the line of the next byte
	buffer []byte
	open   bool  // whether an array has begun and not ended
	err    error // of r, io.EOF included
}

func newElements(r *bufio.Reader) *elements { return &elements{r: r, line: 1} }

// next returns the next element, io.EOF after the last one.
func (e *elements) next() (element, error) {
	for {
		line := e.line
		c, ok := e.read()
		switch {
		case !ok && errors.Is(e.err, io.EOF) && e.open:
			return element{}, errTruncated
		case !ok:
			return element{}, e.err
		case c == '{':
			return e.object(line), nil
		case c == '[' || c == ']':
			e.open = c == '['
		case c != ',' && !blank(c):
			e.buffer = append(e.buffer[:0], c)
			return e.giveUp(line, "is not JSON: text that belongs to no object"), nil
		}
	}
}

// object reads one object, whose brace has been read.
func (e *elements) object(line int64) element {
	e.buffer = append(e.buffer[:0], '{')
	var s scanner
	s.step('{')
	for s.fault == "" && !s.done() {
		c, ok := e.read()
		switch {
		case !ok:
			return e.giveUp(line, "the file ends in the midst of an object")
		case len(e.buffer) >= maxElement:
			return e.giveUp(line, "the object is longer than 4 MiB")
		default:
			e.buffer = append(e.buffer, c)
			s.step(c)
		}
	}
	if s.fault == "" {
		return element{text: e.buffer, line: line}
	}
	// The mistake is before the character that gave it away.
	sound := bytes.TrimRight(e.buffer[:len(e.buffer)-1], ", \t\r\n")
	return e.giveUp(line+int64(bytes.Count(sound, []byte{'\n'})), s.fault)
}

// giveUp ends a malformed object and goes to the beginning of the next one.
func (e *elements) giveUp(line int64, fault string) element {
	broken := element{text: e.buffer, line: line, fault: fault}
	if at := nextStart(e.buffer); at > 0 {
		broken.text = e.giveBack(e.buffer, at)
		return broken
	}
	skipped := bytes.Clone(e.buffer[max(0, len(e.buffer)-overlap):])
	for {
		c, ok := e.read()
		if !ok {
			e.open = e.open && !bytes.HasSuffix(bytes.TrimSpace(skipped), []byte{']'})
			return broken
		}
		skipped = append(skipped, c)
		if c == '"' && bytes.HasSuffix(skipped, []byte(firstKey)) {
			if at := nextStart(skipped); at > 0 {
				e.giveBack(skipped, at)
				return broken
			}
		}
		if len(skipped) > 4*overlap {
			skipped = append(skipped[:0], skipped[len(skipped)-overlap:]...)
		}
	}
}

// giveBack returns text up to at, and leaves the rest to be read again.
func (e *elements) giveBack(text []byte, at int) []byte {
	e.line -= int64(bytes.Count(text[at:], []byte{'\n'}))
	e.again = append(bytes.Clone(text[at:]), e.again...)
	return text[:at]
}

// refuse takes back an object whose brackets matched and that was no JSON all the same:
// if another one begins within it, the brackets matched by accident.
func (e *elements) refuse(broken element) element {
	if at := nextStart(broken.text); at > 0 {
		broken.text = e.giveBack(broken.text, at)
	}
	return broken
}

// overlap is how much of skipped text is kept to find a beginning in: more than the
// beginning and the white space before it.
const overlap = 1 << 10

// firstKey is what all objects of the three files begin with.
const firstKey = `"organisasjonsnummer"`

var start = regexp.MustCompile(`\{\s*` + firstKey)

// nextStart returns where in text an object of the file begins, other than at 0. An
// object that is a value has a colon before it, and so is none of the file's own, unless
// it stands at the beginning of a line.
func nextStart(text []byte) int {
	for _, at := range start.FindAllIndex(text, -1) {
		if at[0] == 0 {
			continue
		}
		before := bytes.TrimRight(text[:at[0]], " \t\r\n")
		if text[at[0]-1] == '\n' || len(before) == 0 || before[len(before)-1] != ':' {
			return at[0]
		}
	}
	return 0
}

func (e *elements) read() (byte, bool) {
	if len(e.again) > 0 {
		c := e.again[0]
		e.again = e.again[1:]
		e.count(c)
		return c, true
	}
	if e.err != nil {
		return 0, false
	}
	c, err := e.r.ReadByte()
	if err != nil {
		e.err = err
		return 0, false
	}
	e.count(c)
	return c, true
}

func (e *elements) count(c byte) {
	if c == '\n' {
		e.line++
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// scanner follows the nesting of an object, and notices the mistakes that would make it
// take the following objects for a part of it.
type scanner struct {
	open    []byte // the brackets that are open
	last    byte   // the last character that is not blank, outside strings
	quoted  bool   // within a string
	escaped bool   // after a backslash
	fault   string
}

func (s *scanner) done() bool { return len(s.open) == 0 && s.last == '}' }

func (s *scanner) step(c byte) {
	if s.quoted {
		s.inString(c)
		return
	}
	switch c {
	case ' ', '\t', '\r', '\n':
		return
	case '"':
		s.quoted = true
	case '{', '[':
		s.opening(c)
	case '}', ']':
		if len(s.open) == 0 || s.open[len(s.open)-1] != c-2 {
			s.fault = "a bracket closes that is not open"
			return
		}
		s.open = s.open[:len(s.open)-1]
	}
	s.last = c
}

func (s *scanner) inString(c byte) {
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped = true
	case c == '"':
		s.quoted = false
	case c == '\n':
		s.fault = "the line ends in the midst of a string"
	}
}

// opening checks that a value may stand here: after a colon, or in an array.
func (s *scanner) opening(c byte) {
	inArray := len(s.open) > 0 && s.open[len(s.open)-1] == '['
	if len(s.open) > 0 && s.last != ':' && (!inArray || s.last != ',' && s.last != '[') {
		s.fault = "an object or array begins where none may stand"
		return
	}
	s.open = append(s.open, c)
}
