package enforce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

// maxFile is the greatest size of a routes file.
const maxFile = 4 << 20

type fileText struct {
	Identity identityText `yaml:"identity"`
	Routes   []routeText  `yaml:"routes"`
}

type routeText struct {
	Name    string     `yaml:"name"`
	Host    string     `yaml:"host"`
	Methods []string   `yaml:"methods"`
	Path    string     `yaml:"path"`
	Party   *partyText `yaml:"party"`
	Rule    ruleText   `yaml:"rule"`
}

type partyText struct {
	Parameter string `yaml:"parameter"`
	Relation  string `yaml:"relation"`
}

type ruleText struct {
	Public        *bool         `yaml:"public"`
	Authenticated *bool         `yaml:"authenticated"`
	Level         *int          `yaml:"level"`
	Groups        []string      `yaml:"groups"`
	Permissions   []string      `yaml:"permissions"`
	Relation      *string       `yaml:"relation"`
	Decision      *decisionText `yaml:"decision"`
	All           []ruleText    `yaml:"all"`
	Any           []ruleText    `yaml:"any"`
}

type decisionText struct {
	Resource string `yaml:"resource"`
	Org      string `yaml:"org"`
	App      string `yaml:"app"`
	Action   string `yaml:"action"`
	Party    string `yaml:"party"`
	Instance string `yaml:"instance"`
}

// read returns the text of a routes file.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the routes file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read the routes file: %w", err)
	}
	return text, nil
}

// Parse reads the text of a routes file. The error joins every fault of it.
func Parse(text []byte) (*Table, error) {
	if len(text) > maxFile {
		return nil, errors.New("is larger than 4 MiB")
	}
	var file fileText
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // a word that is misspelt is a fault, never a default
	err := decoder.Decode(&file)
	wrong, mistyped := errors.AsType[*yaml.TypeError](err)
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty")
	case err != nil && !mistyped:
		return nil, fmt.Errorf("is no YAML: %w", err)
	}
	table, faults := compile(file)
	if mistyped { // the rest has been read, and may have more faults
		faults = append([]error{wrong}, faults...)
	} else if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		faults = append(faults, errors.New("has more than one document"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return table, nil
}

// CheckFile returns every fault of a routes file, nil when a server could start with it.
func CheckFile(path string) error {
	_, err := load(path)
	return err
}

func load(path string) (*loaded, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	table, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the routes file %s: %w", path, err)
	}
	return &loaded{text, table}, nil
}

// loaded is a routes file and what it says.
type loaded struct {
	text  []byte
	table *Table
}
