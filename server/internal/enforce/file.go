package enforce

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// maxFile is the greatest size of a routes file.
const maxFile = 4 << 20

type fileText struct {
	Identity  identityText  `yaml:"identity"`
	Relations relationsText `yaml:"relations"`
	Mia       miaText       `yaml:"mia"`
	Routes    []routeText   `yaml:"routes"`

	auth authText // what the file says that mia.routes names
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
	Expression    *string       `yaml:"expression"`
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

// Parse reads the text of a routes file, or of Mia's auth.json. The error joins every fault
// of it. It can name no other file.
func Parse(text []byte) (*Table, error) { return parse(source{text: text}) }

// parse reads a routes file with the file that it names.
func parse(s source) (*Table, error) {
	if len(s.text) > maxFile {
		return nil, errors.New("is larger than 4 MiB")
	}
	if isAuthJSON(s.text) {
		auth, err := readAuthJSON(s.text)
		if err != nil {
			return nil, err
		}
		return table(fileText{Identity: identityText{Preset: "mia"}, auth: auth}, nil)
	}
	var file fileText
	decoder := yaml.NewDecoder(bytes.NewReader(s.text))
	decoder.KnownFields(true) // a word that is misspelt is a fault, never a default
	err := decoder.Decode(&file)
	wrong, mistyped := errors.AsType[*yaml.TypeError](err)
	var faults []error
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("is empty")
	case err != nil && !mistyped:
		return nil, fmt.Errorf("is no YAML: %w", err)
	case mistyped: // the rest has been read, and may have more faults
		faults = append(faults, wrong)
	default:
		if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
			faults = append(faults, errors.New("has more than one document"))
		}
	}
	if file.Mia.Routes != "" {
		if file.auth, err = readAuthJSON(s.mia); err != nil {
			faults = append(faults, fmt.Errorf("mia: %s %w", file.Mia.Routes, err))
		}
	}
	return table(file, faults)
}

func table(file fileText, faults []error) (*Table, error) {
	t, more := compile(file)
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return t, nil
}

// CheckFile returns every fault of a routes file, nil when a server could start with it.
func CheckFile(path string) error {
	_, err := load(path)
	return err
}

func load(path string) (*loaded, error) {
	s, err := read(path, source{})
	if err != nil {
		return nil, err
	}
	t, err := parse(s)
	if err != nil {
		return nil, fmt.Errorf("the routes file %s: %w", path, err)
	}
	return &loaded{s, t}, nil
}

// loaded is a routes file and what it says.
type loaded struct {
	source source
	table  *Table
}
