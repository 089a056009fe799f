package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const envPrefix = "BEHALF_"

// setting is a value from outside the command line, and where it stands, for reports.
type setting struct{ value, where string }

// prepare fills in the flags of a command and validates them, so that every fault of its
// settings is told in one go: of the command line, the environment and the file, and what
// the command itself has against the values (its PreRunE).
func prepare(cmd *cobra.Command, args, environ []string, heard *misheard) error {
	faults := append(heard.faults, configure(cmd, environ)...)
	if len(faults) > 0 && cmd.PreRunE != nil { // else cobra asks it next
		faults = append(faults, cmd.PreRunE(cmd, args))
	}
	if len(faults) > 0 {
		return usage(errors.Join(faults...))
	}
	return nil
}

// misheard keeps what the command line says that its flags do not take. The parser would
// stop at the first.
type misheard struct{ faults []error }

// listen has the flags of all commands report to h.
func (h *misheard) listen(cmd *cobra.Command) {
	wrap := func(f *pflag.Flag) {
		if _, wrapped := f.Value.(*heardValue); !wrapped {
			f.Value = &heardValue{f.Value, f.Name, h}
		}
	}
	cmd.PersistentFlags().VisitAll(wrap)
	cmd.Flags().VisitAll(wrap)
	for _, c := range cmd.Commands() {
		h.listen(c)
	}
}

// heardValue is a flag's value that keeps a refusal for later.
type heardValue struct {
	pflag.Value

	name string
	to   *misheard
}

// Set takes a value, or notes why it cannot.
func (v *heardValue) Set(text string) error {
	if err := v.Value.Set(text); err != nil {
		v.to.faults = append(v.to.faults, refusedValue("--"+v.name, text, v.Value, err))
	}
	return nil
}

// refusedValue says which setting refused a text, and why.
func refusedValue(where, text string, v pflag.Value, err error) error {
	if v.Type() == "" {
		return fmt.Errorf("%s: %q: %w", where, text, reason(err))
	}
	return fmt.Errorf("%s: %q is not of type %s: %w", where, text, v.Type(), reason(err))
}

// configure fills in the flags that the command line left alone: from the environment,
// else from the file. It returns all faults.
func configure(cmd *cobra.Command, environ []string) []error {
	known := settings(cmd.Root())
	env, faults := fromEnvironment(environ, known)
	file := map[string]setting{}
	name := cmd.Flags().Lookup("config").Value.String()
	if name == "" {
		name = env["config"].value
	}
	if name != "" {
		var more []error
		file, more = fromFile(name, known)
		faults = append(faults, more...)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		s, ok := env[f.Name]
		if !ok {
			s, ok = file[f.Name]
		}
		if !ok || f.Changed {
			return
		}
		value := f.Value // not by the flag's name: only the command line changes a flag
		if heard, ok := value.(*heardValue); ok {
			value = heard.Value
		}
		if err := value.Set(s.value); err != nil {
			faults = append(faults, refusedValue(s.where, s.value, value, err))
		}
	})
	return faults
}

// reason returns why a value was refused, without what the flag's parser says around it.
func reason(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}

// settings returns the names of the flags of all commands.
func settings(cmd *cobra.Command) map[string]bool {
	known := make(map[string]bool)
	add := func(f *pflag.Flag) { known[f.Name] = f.Name != "help" }
	cmd.PersistentFlags().VisitAll(add)
	cmd.Flags().VisitAll(add)
	for _, c := range cmd.Commands() {
		for name, ok := range settings(c) {
			known[name] = ok
		}
	}
	return known
}

func fromEnvironment(environ []string, known map[string]bool) (map[string]setting, []error) {
	found := make(map[string]setting)
	var faults []error
	for _, entry := range environ {
		variable, value, _ := strings.Cut(entry, "=")
		suffix, ours := strings.CutPrefix(variable, envPrefix)
		name := strings.ReplaceAll(strings.ToLower(suffix), "_", "-")
		switch {
		case !ours || value == "" || foreign(suffix):
		case !known[name] || suffix != strings.ToUpper(suffix):
			faults = append(faults, fmt.Errorf("%s: is no setting; settings are %s and a flag's name in capitals", variable, envPrefix))
		default:
			found[name] = setting{value, variable}
		}
	}
	return found, faults
}

// foreign reports whether a variable is no setting of ours for all its name: Kubernetes
// gives some to every container beside a service named behalf, and one says where this
// project's tests find the conformance cases.
func foreign(suffix string) bool {
	return suffix == "PORT" || strings.HasPrefix(suffix, "PORT_") || strings.HasPrefix(suffix, "SERVICE_") ||
		suffix == "CONFORMANCE"
}

func fromFile(name string, known map[string]bool) (map[string]setting, []error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, []error{fmt.Errorf("--config: %w", err)}
	}
	var keys map[string]any // JSON is YAML too
	if err := yaml.Unmarshal(text, &keys); err != nil {
		return nil, yamlFaults(name, err)
	}
	found := make(map[string]setting)
	var faults []error
	for key, value := range keys {
		where := fmt.Sprintf("%s: %s", name, key)
		text, ok := scalar(value)
		switch {
		case !known[key] || key == "config":
			faults = append(faults, fmt.Errorf("%s: is no setting; settings have the names of flags", where))
		case !ok:
			faults = append(faults, fmt.Errorf("%s: is neither a value nor a list of values", where))
		default:
			found[key] = setting{text, where}
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return found, faults
}

// yamlFaults returns the faults of a file, one each.
func yamlFaults(name string, err error) []error {
	several, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return []error{fmt.Errorf("%s: %w", name, err)}
	}
	var faults []error
	for _, text := range several.Errors {
		faults = append(faults, fmt.Errorf("%s: %s", name, text))
	}
	return faults
}

// scalar writes a value of the file as a flag takes it, lists with commas.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case nil, map[string]any, map[any]any:
		return "", false
	case []any:
		texts := make([]string, len(v))
		for i, item := range v {
			text, ok := scalar(item)
			if _, nested := item.([]any); !ok || nested {
				return "", false
			}
			texts[i] = text
		}
		return strings.Join(texts, ","), true
	}
	return fmt.Sprint(value), true
}
