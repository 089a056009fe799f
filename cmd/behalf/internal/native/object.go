package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// fieldError is a fault of one field of a line.
type fieldError struct {
	field, message string
}

func (e *fieldError) Error() string {
	if e.field == "" {
		return e.message
	}
	return e.field + ": " + e.message
}

// object is a flat JSON object. Reading a field takes it away, so that what is left at
// the end is unknown. The first fault is kept.
type object struct {
	names  []string // in the line's order
	values map[string]json.RawMessage
	err    error
}

// decode reads a line. With an error it returns what could be read before it, for the
// sake of a reference.
func decode(line []byte) (*object, error) {
	o := &object{values: make(map[string]json.RawMessage)}
	if !utf8.Valid(line) {
		return o, &fieldError{message: "is not UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return o, &fieldError{message: "is not a JSON object"}
	}
	for d.More() {
		if err := o.member(d); err != nil {
			return o, err
		}
	}
	if _, err := d.Token(); err != nil {
		return o, syntax(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, &fieldError{message: "has text after the object"}
	}
	return o, nil
}

// Object reads a text that is one JSON object, such as a token's claims. A member that is
// given twice is refused, since readers would differ on which of the two counts. Numbers
// keep their digits.
func Object(text []byte) (map[string]any, error) {
	o, err := decode(text)
	if err != nil {
		return nil, err
	}
	members := make(map[string]any, len(o.values))
	for name, raw := range o.values {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, &fieldError{name, syntax(err).Error()}
		}
		members[name] = value
	}
	return members, nil
}

func (o *object) member(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return syntax(err)
	}
	name, _ := token.(string)
	var value json.RawMessage
	if err := d.Decode(&value); err != nil {
		return &fieldError{name, syntax(err).Error()}
	}
	if _, twice := o.values[name]; twice {
		return &fieldError{name, "is given twice"}
	}
	o.names = append(o.names, name)
	o.values[name] = value
	return nil
}

func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &fieldError{message: "the JSON ends too early"}
	}
	return &fieldError{message: "is not JSON: " + err.Error()}
}

func (o *object) take(name string) json.RawMessage {
	value := o.values[name]
	delete(o.values, name)
	return value
}

func (o *object) fail(name, format string, args ...any) {
	if o.err == nil {
		o.err = &fieldError{name, fmt.Sprintf(format, args...)}
	}
}

// text takes a string, empty when the field is absent.
func (o *object) text(name string) string {
	raw := o.take(name)
	if raw == nil {
		return ""
	}
	var text string
	if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		o.fail(name, "is %s; write a string", kindOf(raw))
	}
	return text
}

// number takes an integer, 0 when the field is absent.
func (o *object) number(name string) int64 {
	raw := o.take(name)
	if raw == nil {
		return 0
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		o.fail(name, "is %s; write an integer", kindOf(raw))
		return 0
	}
	return n
}

// flag takes a boolean, false when the field is absent.
func (o *object) flag(name string) bool {
	raw := o.take(name)
	if raw != nil && string(raw) != "true" && string(raw) != "false" {
		o.fail(name, "is %s; write true or false", kindOf(raw))
	}
	return string(raw) == "true"
}

// end returns the first fault; a field that nobody took is one.
func (o *object) end(what string) error {
	for _, name := range o.names {
		if _, left := o.values[name]; left {
			o.fail(name, "is no field of %s", what)
		}
	}
	return o.err
}

// has reports whether the line gives a field, taken or not.
func (o *object) has(name string) bool { return slices.Contains(o.names, name) }

func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	if bytes.ContainsAny(raw, ".eE") {
		return "not an integer"
	}
	if len(raw) > 18 {
		return "too great a number"
	}
	return "a number"
}
