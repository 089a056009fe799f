package provider

import (
	"slices"
	"strconv"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// levelPrefix begins the names by which this server asks for a level, whoever reaches it: a
// route that needs one knows no provider.
const levelPrefix = "urn:altinn:authlevel:"

// Reaching returns the acr values by which the provider is asked for what was asked of us. A
// level becomes every value that the issuers file gives this level or a higher one, the lowest
// first. The error says that it has none.
func (p *Provider) Reaching(asked []string) ([]string, error) {
	var out []string
	for _, a := range asked {
		if _, known := p.entry.Levels.ACR[a]; known {
			out = append(out, a)
			continue
		}
		text, ours := strings.CutPrefix(a, levelPrefix)
		level, err := strconv.Atoi(text)
		if !ours || err != nil || level < 1 || level > 4 {
			return nil, fault.Field("acr_values", "must be one that the issuers file gives a level")
		}
		reaching := p.entry.Levels.reaching(level)
		if len(reaching) == 0 {
			return nil, fault.New(fault.Denied, ReasonLevelTooLow, "nobody who logs in with this provider reaches the level that is needed")
		}
		out = append(out, reaching...)
	}
	return out, nil
}

func (m LevelMap) reaching(level int) []string {
	var all []string
	for acr, is := range m.ACR {
		if is >= level {
			all = append(all, acr)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		if c := m.ACR[a] - m.ACR[b]; c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return all
}
