package enforce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// source is the text of a routes file, and of the file of Mia's that it names.
type source struct {
	text []byte
	mia  []byte
	path string // of Mia's file, empty when none is named
}

func (s source) equal(o source) bool { return bytes.Equal(s.text, o.text) && bytes.Equal(s.mia, o.mia) }

// read returns what the files say now. was is what they said before.
func read(path string, was source) (s source, err error) {
	if s.text, err = readOne(path); err != nil {
		return source{}, fmt.Errorf("read the routes file: %w", err)
	}
	s.path = was.path
	if !bytes.Equal(s.text, was.text) {
		s.path = miaFile(s.text)
	}
	if s.path == "" {
		return s, nil
	}
	if s.mia, err = readOne(beside(path, s.path)); err != nil {
		return source{}, fmt.Errorf("read the file that mia.routes names: %w", err)
	}
	return s, nil
}

// beside returns where a file is that the file at path names.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}

// miaFile returns the file that a routes file names. Faults of its are told when it is parsed.
func miaFile(text []byte) string {
	if len(text) > maxFile || isAuthJSON(text) {
		return ""
	}
	var file struct {
		Mia struct {
			Routes string `yaml:"routes"`
		} `yaml:"mia"`
	}
	if yaml.Unmarshal(text, &file) != nil {
		return ""
	}
	return file.Mia.Routes
}

// readOne reads a file as far as parse looks, and a little more so that it sees one that is too large.
func readOne(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return text, errors.Join(err, f.Close())
}
