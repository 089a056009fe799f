package policytest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/behalf-authz/behalf/server/policyfile"
)

// Case is a request with what is expected of it.
type Case struct {
	Name       string // the request's file, from the folder that is run
	Policies   []string
	References []string
	Request    string
	Expected   []Expected
}

// The files of a folder.
var (
	requestFiles   = []string{"request.json", "request.xml"}
	policyFiles    = []string{"policy*.xml", "root-policy*.xml"}
	referenceFiles = []string{"ref*.xml"}
)

// Find returns the cases of a folder, by name. The error joins all that is missing.
func Find(dir string) ([]Case, error) {
	var cases []Case
	var faults []error
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !slices.Contains(requestFiles, entry.Name()) {
			return err
		}
		c, err := find(dir, path)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
			return nil
		}
		cases = append(cases, c)
		return nil
	})
	if err == nil && len(cases) == 0 && len(faults) == 0 {
		err = fmt.Errorf("%s: no folder in it has a request.json or request.xml", dir)
	}
	return cases, errors.Join(append(faults, err)...)
}

func find(root, request string) (Case, error) {
	c := Case{Name: request, Request: request}
	if name, err := filepath.Rel(root, request); err == nil {
		c.Name = filepath.ToSlash(name)
	}
	dir := filepath.Dir(request)
	c.Policies, c.References = nearest(root, dir, policyFiles), nearest(root, dir, referenceFiles)
	if len(c.Policies) == 0 {
		return Case{}, errors.New("has no policy*.xml beside it or in a folder above")
	}
	var err error
	c.Expected, err = expectedOf(dir, filepath.Ext(request))
	return c, err
}

// nearest returns the files of the folder, or of the nearest above it that has any.
func nearest(root, dir string, patterns []string) []string {
	for {
		var found []string
		for _, pattern := range patterns {
			names, _ := filepath.Glob(filepath.Join(escape(dir), pattern)) // the patterns are well formed
			found = append(found, names...)
		}
		if len(found) > 0 || filepath.Clean(dir) == filepath.Clean(root) {
			return found
		}
		dir = filepath.Dir(dir)
	}
}

// escape returns a folder's name as a pattern that only it matches.
func escape(dir string) string {
	var out []byte
	for _, c := range []byte(dir) {
		switch c {
		case '*', '?', '[', '\\':
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

// texts reads files.
func texts(names []string) ([]policyfile.Text, error) {
	all := make([]policyfile.Text, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[i] = policyfile.Text{Name: name, Data: data}
	}
	return all, nil
}
