package altinnworld

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxFile is the greatest length of one file, in bytes.
const maxFile = 64 << 20

// files reads the files of a world and collects what is wrong with them.
type files struct {
	fs     fs.FS
	dir    string // what names are shown under
	faults []error
}

// name is the name of a file as the user knows it.
func (f *files) name(file string) string { return path.Join(f.dir, file) }

// text returns a file without its byte order mark, nil when there is none.
func (f *files) text(file string) []byte {
	text, err := fs.ReadFile(f.fs, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		f.faults = append(f.faults, fmt.Errorf("%s: %w", f.name(file), err))
		return nil
	case len(text) > maxFile:
		f.faults = append(f.faults, fmt.Errorf("%s: is longer than %d MiB", f.name(file), maxFile>>20))
		return nil
	}
	return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
}

// read decodes a file and reports whether it was there and could be read. Names of
// members are taken in any case, and members that nobody asks for are passed over.
func (f *files) read(file string, into any) bool {
	text := f.text(file)
	if text == nil {
		return false
	}
	if err := decode(text, into); err != nil {
		f.faults = append(f.faults, fmt.Errorf("%s%s", f.name(file), position(text, err)))
		return false
	}
	return true
}

func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("has text after the value")
	}
	return nil
}

// position says where in a text the decoder failed.
func position(text []byte, err error) string {
	offset, field := int64(-1), ""
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset, field = e.Offset, e.Field
		err = fmt.Errorf("is %s, not %s", e.Value, shapeOf(e.Type.Kind().String()))
	}
	at := ""
	if offset > 0 {
		line := 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n"))
		at = ":" + strconv.Itoa(line)
	}
	if field != "" {
		at += ": " + field
	}
	return at + ": " + err.Error()
}

func shapeOf(kind string) string {
	switch kind {
	case "int64", "int":
		return "a whole number of 32 bits"
	case "slice":
		return "a list"
	case "struct", "map":
		return "an object"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// list returns the files below a directory whose names end so, in order.
func (f *files) list(below, suffix string) []string {
	var found []string
	err := fs.WalkDir(f.fs, below, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(name, suffix) {
			found = append(found, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.faults = append(f.faults, fmt.Errorf("%s: %w", f.name(below), err))
	}
	slices.Sort(found)
	return found
}

// numberIn reads an id in a file's name, such as 1337 in user_1337.
func numberIn(text, prefix string) (int64, bool) {
	digits, ok := strings.CutPrefix(text, prefix)
	n, err := strconv.ParseInt(digits, 10, 32)
	return n, ok && err == nil && n > 0
}
