package brreg

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// Config says how a file is read.
type Config struct {
	File   string // its name, for reports
	Kind   Kind   // empty to find it out
	Source string // empty for the kind's own
	// MergePersons makes one person of all who share a name and a birth date, whichever
	// organisation they stand in.
	MergePersons bool
}

// LeftOut counts the roles of a file that are no assignments.
type LeftOut struct {
	Resigned  int64 // the holder has resigned, or the role was struck off
	Dead      int64 // the holder is dead
	StruckOff int64 // the holder is an organisation that was struck off
}

// Reader reads one bulk file.
type Reader struct {
	config   Config
	elements *elements
	queue    []*behalfv1.ImportEntry
	persons  map[string]struct{} // the persons that were introduced, when they are merged
	left     LeftOut
}

// NewReader returns a reader of text.
func NewReader(text io.Reader, c Config) (*Reader, error) {
	const head = 1 << 16
	buffered := bufio.NewReaderSize(text, head)
	if c.Kind == "" {
		begin, err := buffered.Peek(head)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
		if c.Kind, err = Detect(begin, c.File); err != nil {
			return nil, err
		}
	}
	if c.Source == "" {
		c.Source = c.Kind.Source()
	}
	return &Reader{config: c, elements: newElements(buffered), persons: make(map[string]struct{})}, nil
}

// Source returns the source whose truth the file is.
func (r *Reader) Source() string { return r.config.Source }

// LeftOut returns what was left out so far.
func (r *Reader) LeftOut() LeftOut { return r.left }

// Next returns the next entry, io.EOF after the last one.
func (r *Reader) Next() (*behalfv1.ImportEntry, error) {
	for len(r.queue) == 0 {
		e, err := r.elements.next()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.config.File, err)
		}
		r.read(e)
	}
	entry := r.queue[0]
	r.queue = r.queue[1:]
	return entry, nil
}

// read puts the entries of one element into the queue.
func (r *Reader) read(e element) {
	place := registerfile.Place{File: r.config.File, Line: e.line, Reference: reference(e.text)}
	if e.fault != "" {
		r.add(place.Unreadable("", e.fault))
		return
	}
	if !utf8.Valid(e.text) {
		r.add(place.Unreadable("", "is not UTF-8"))
		return
	}
	var err error
	if r.config.Kind == Roller {
		err = r.roles(place, e.text)
	} else {
		err = r.unit(place, e.text)
	}
	if err != nil {
		r.add(r.refuse(e, err))
	}
}

func (r *Reader) add(entry *behalfv1.ImportEntry) { r.queue = append(r.queue, entry) }

// refuse makes an unreadable entry of an object that the decoder did not take.
func (r *Reader) refuse(e element, err error) *behalfv1.ImportEntry {
	place := registerfile.Place{File: r.config.File, Line: e.line}
	field, message, offset := "", "", int64(0)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field, message, offset = wrong.Field, "is a JSON "+wrong.Value+", not what the format has there", wrong.Offset
	} else {
		message = "is not JSON: " + err.Error()
		if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
			offset = bad.Offset - 1
		}
		e = r.elements.refuse(e)
	}
	offset = max(0, min(offset, int64(len(e.text))))
	place.Line += int64(bytes.Count(e.text[:offset], []byte{'\n'}))
	place.Reference = reference(e.text)
	return place.Unreadable(field, message)
}

var numberKey = regexp.MustCompile(firstKey + `\s*:\s*"([0-9]{9})"`)

// reference finds the organisation that a text is about, even in one that is no JSON.
func reference(text []byte) string {
	if found := numberKey.FindSubmatch(text[:min(len(text), overlap)]); found != nil {
		return "org:" + string(found[1])
	}
	return ""
}
