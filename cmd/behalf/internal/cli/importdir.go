package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/altinnworld"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// altinnFormat is the format of a directory of Altinn's test data.
const altinnFormat = "altinn-world"

// companions are what a directory has beside register files.
type companions struct {
	source        string // under which they are counted
	definitions   string // of one's own, in SpiceDB's language
	relationships []relationshipLine
	policies      []policyFile
	instances     []*behalfv1.Instance
	estateRoles   []*behalfv1.EstateRole
	notes         []string
}

type policyFile struct {
	name  string
	ref   *behalfv1.PolicyRef
	text  []byte
	anyOf bool // read with any_of_per_category
}

// openAll opens files, or all that is in the one directory that is named.
func (o *openFlags) openAll(names []string) (*registerFiles, *companions, error) {
	if err := o.validate(); err != nil {
		return nil, nil, err
	}
	if len(names) == 1 && names[0] != "-" {
		info, err := os.Stat(names[0])
		if err == nil && info.IsDir() {
			return o.openDir(names[0])
		}
	}
	if o.format == altinnFormat {
		return nil, nil, usagef("--format altinn-world: name one directory")
	}
	files, err := o.open(names)
	return files, &companions{}, err
}

func (o *openFlags) openDir(dir string) (*registerFiles, *companions, error) {
	switch {
	case o.format == altinnFormat, o.format == "" && altinnworld.Looks(dir):
		return o.openWorld(dir)
	case o.format == "brreg":
		return nil, nil, usagef("--format brreg: name files, not the directory %s", dir)
	}
	return o.openNative(dir)
}

func (o *openFlags) openWorld(dir string) (*registerFiles, *companions, error) {
	world, err := altinnworld.Read(dir)
	if err != nil {
		return nil, nil, err
	}
	with := &companions{source: altinnworld.Source, instances: world.Instances, estateRoles: world.EstateRoles, notes: world.Notes}
	if o.source != "" {
		with.source = o.source
	}
	for _, p := range world.Policies {
		with.policies = append(with.policies, policyFile{name: p.File, ref: p.Ref, text: p.Text})
	}
	return &registerFiles{files: []registerFile{{entries: &listedEntries{with.source, world.Entries}}}}, with, nil
}

// listedEntries are entries that have been read already.
type listedEntries struct {
	source string
	left   []*behalfv1.ImportEntry
}

// Source returns whose truth they are.
func (l *listedEntries) Source() string { return l.source }

// Next returns the next entry, io.EOF after the last one.
func (l *listedEntries) Next() (*behalfv1.ImportEntry, error) {
	if len(l.left) == 0 {
		return nil, io.EOF
	}
	next := l.left[0]
	l.left = l.left[1:]
	return next, nil
}

// openNative opens a directory of our own formats. A file of another kind is a fault: it
// may be misspelt.
func (o *openFlags) openNative(dir string) (*registerFiles, *companions, error) {
	with := &companions{source: "directory"}
	var (
		registers []string
		faults    []error
	)
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return nil
		}
		within, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		switch base := entry.Name(); {
		case strings.HasPrefix(base, ".") || strings.HasSuffix(base, ".md"):
		case base == informationFile:
			faults = append(faults, with.readInformation(name))
		case strings.HasSuffix(base, ".jsonl") || strings.HasSuffix(base, ".jsonl.gz"):
			registers = append(registers, name)
		case strings.HasSuffix(base, ".zed"):
			faults = append(faults, with.readDefinitions(name))
		case strings.HasSuffix(base, ".rel"):
			faults = append(faults, with.readRelationships(name))
		case strings.HasSuffix(base, ".xml"):
			faults = append(faults, with.readPolicy(name, filepath.ToSlash(within)))
		default:
			faults = append(faults, fmt.Errorf("%s: is neither a register file (.jsonl), definitions (.zed), relationships (.rel) nor a policy (.xml)", name))
		}
		return nil
	})
	if err := errors.Join(append(faults, err)...); err != nil {
		return nil, nil, err
	}
	files, err := o.open(registers)
	if err != nil {
		return nil, nil, err
	}
	if len(files.files) > 0 {
		with.source = files.files[0].Source()
	}
	return files, with, nil
}

func (w *companions) readDefinitions(name string) error {
	text, err := os.ReadFile(name)
	w.definitions += string(text) + "\n"
	return err
}

// readPolicy reads a policy, which its place names.
func (w *companions) readPolicy(name, within string) error {
	ref, anyOf, err := policyAt(within)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	text, err := os.ReadFile(name)
	w.policies = append(w.policies, policyFile{name, ref, text, anyOf})
	return err
}
