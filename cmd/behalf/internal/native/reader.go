package native

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/registerfile"
)

// Format is the name and version of the format, as a header gives it.
const Format = "behalf/v1"

// maxLine is the greatest length of a line in bytes, its end not counted.
const maxLine = 1 << 20

// Reader reads one file.
type Reader struct {
	text    *bufio.Reader
	file    string
	source  string
	line    int64
	first   []byte // the first line that is not blank, when it was no header
	started bool   // whether first is still to be read
}

// NewReader returns a reader of text, having read the header. The source given wins over
// the header's; one of them has to name it.
func NewReader(text io.Reader, file, source string) (*Reader, error) {
	r := &Reader{text: bufio.NewReaderSize(text, 1<<16), file: file, source: source}
	line, err := r.readLine()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty", file)
	}
	if err != nil && !errors.Is(err, errLong) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err == nil && isHeader(line) {
		err = r.header(line)
	} else {
		r.first, r.started, err = line, true, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%d: header: %w", file, r.line, err)
	}
	if r.source == "" {
		return nil, fmt.Errorf("%s:%d: has no header that names its source; name it with --source", file, r.line)
	}
	return r, nil
}

// Source returns the source whose truth the file is.
func (r *Reader) Source() string { return r.source }

// Next returns the next entry, io.EOF after the last one.
func (r *Reader) Next() (*behalfv1.ImportEntry, error) {
	line, err := r.next()
	place := registerfile.Place{File: r.file, Line: r.line}
	if errors.Is(err, errLong) {
		return place.Unreadable("", err.Error()), nil
	}
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", r.file, r.line, err)
	}
	return parse(place, line), nil
}

func (r *Reader) next() ([]byte, error) {
	if !r.started {
		return r.readLine()
	}
	line := r.first
	r.first, r.started = nil, false
	if line == nil {
		return nil, errLong
	}
	return line, nil
}

func (r *Reader) header(line []byte) error {
	o, err := decode(line)
	if err != nil {
		return err
	}
	o.text("kind")
	format, source := o.text("format"), o.text("source")
	if err := o.end("a header"); err != nil {
		return err
	}
	if format != Format {
		return fmt.Errorf("format is %q; this version reads %q", format, Format)
	}
	if r.source == "" {
		r.source = source
	}
	return nil
}

// isHeader tells a header from an entry even when it is malformed, so that a mistake in
// it is reported as such.
func isHeader(line []byte) bool {
	o, _ := decode(line)
	return o.text("kind") == "header"
}

// errLong is returned for a line that is too long; the line has been skipped.
var errLong = errors.New("the line is longer than 1 MiB")

// readLine returns the next line that is not blank, valid until the next call.
func (r *Reader) readLine() ([]byte, error) {
	for {
		r.line++
		line, err := r.rawLine()
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

func (r *Reader) rawLine() ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.text.ReadSlice('\n')
		if long = long || len(line)+len(bytes.TrimRight(part, "\r\n")) > maxLine; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0 && !long:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, errLong
		}
		return line, nil
	}
}
