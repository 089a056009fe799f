package brreg

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// Kind is which of the bulk files a file is.
type Kind string

// The bulk files.
const (
	Enheter      Kind = "enheter"
	Underenheter Kind = "underenheter"
	Roller       Kind = "roller"
)

// Source returns the source whose truth a file of this kind is.
func (k Kind) Source() string { return "brreg." + string(k) }

// ParseKind reads the name of a kind.
func ParseKind(text string) (Kind, error) {
	switch k := Kind(text); k {
	case Enheter, Underenheter, Roller:
		return k, nil
	}
	return "", fmt.Errorf("kind %q is not one of enheter, underenheter, roller", text)
}

// Looks reports whether a file that begins with these bytes is a bulk file.
func Looks(head []byte) bool {
	head = bytes.TrimSpace(head)
	return bytes.HasPrefix(head, []byte{'['}) || start.Match(head)
}

var (
	rolesKey = regexp.MustCompile(`"rollegrupper"\s*:`)
	formKey  = regexp.MustCompile(`"organisasjonsform"\s*:\s*\{\s*"kode"\s*:\s*"([^"]*)"`)
)

// Detect finds out which file it is by its first bytes, else by its name.
func Detect(head []byte, name string) (Kind, error) {
	role, form := rolesKey.FindIndex(head), formKey.FindSubmatchIndex(head)
	switch {
	case role != nil && (form == nil || role[0] < form[0]):
		return Roller, nil
	case form != nil && isSubUnit(string(head[form[2]:form[3]])):
		return Underenheter, nil
	case form != nil:
		return Enheter, nil
	}
	name = strings.ToLower(filepath.Base(name))
	for _, k := range []Kind{Underenheter, Enheter, Roller} {
		if strings.Contains(name, string(k)) {
			return k, nil
		}
	}
	return "", fmt.Errorf("%s: cannot tell whether these are enheter, underenheter or roller; say it with --kind", name)
}

func isSubUnit(form string) bool { return form == "BEDR" || form == "AAFY" }
