package value

import (
	"errors"
	"fmt"
	"strings"
)

// parseMail reads a mailbox: the part before the @ keeps its case, the domain does not.
func parseMail(text string) (Value, error) {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 {
		return Value{}, errors.New("want local-part@domain")
	}
	local, domain := text[:at], text[at+1:]
	if strings.ContainsAny(domain, " \t@") || strings.ContainsAny(local, " \t@") && !strings.HasPrefix(local, `"`) {
		return Value{}, errors.New("want local-part@domain")
	}
	return Value{ext: local + "@" + strings.ToLower(domain)}, nil
}

// MatchMail says whether the mailbox v is one of those that pattern names: a whole
// address, a domain, or with a leading dot a domain's parts.
func MatchMail(pattern string, v Value) bool {
	address, _ := v.ext.(string)
	at := strings.LastIndexByte(address, '@')
	domain := address[at+1:]
	if i := strings.LastIndexByte(pattern, '@'); i >= 0 {
		return pattern[:i] == address[:at] && strings.EqualFold(pattern[i+1:], domain)
	}
	pattern = strings.ToLower(pattern)
	if strings.HasPrefix(pattern, ".") {
		return strings.HasSuffix(domain, pattern)
	}
	return pattern == domain
}

// rdns are the parts of a distinguished name in canonical form, most special first.
type rdns []string

// parseX500 reads a distinguished name as RFC 4514 writes it.
func parseX500(text string) (Value, error) {
	parts, err := splitUnescaped(text, ",;")
	if err != nil {
		return Value{}, err
	}
	names := make(rdns, 0, len(parts))
	for _, part := range parts {
		name, err := canonicalRDN(part)
		if err != nil {
			return Value{}, err
		}
		names = append(names, name)
	}
	return Value{ext: names}, nil
}

// canonicalRDN makes equal what only differs by case, spaces and the order of the pairs
// that + joins.
func canonicalRDN(part string) (string, error) {
	pairs, err := splitUnescaped(part, "+")
	if err != nil {
		return "", err
	}
	for i, pair := range pairs {
		key, val, found := strings.Cut(pair, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if !found || key == "" {
			return "", fmt.Errorf("want type=value instead of %q", strings.TrimSpace(clip(pair)))
		}
		if oid, known := attributeTypes[strings.TrimPrefix(key, "oid.")]; known {
			key = oid
		}
		pairs[i] = key + "=" + strings.ToLower(strings.Join(strings.Fields(val), " "))
	}
	if len(pairs) > 1 {
		sortStrings(pairs)
	}
	return strings.Join(pairs, "+"), nil
}

// attributeTypes are other names of attribute types that mean the same.
var attributeTypes = map[string]string{
	"2.5.4.3": "cn", "2.5.4.6": "c", "2.5.4.7": "l", "2.5.4.8": "st", "s": "st", "2.5.4.9": "street",
	"2.5.4.10": "o", "2.5.4.11": "ou", "0.9.2342.19200300.100.1.25": "dc", "0.9.2342.19200300.100.1.1": "uid",
	"commonname": "cn", "countryname": "c", "organizationname": "o", "organizationalunitname": "ou",
}

func sortStrings(s []string) {
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

// splitUnescaped cuts text at the separators that are neither quoted nor escaped.
func splitUnescaped(text, separators string) ([]string, error) {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(separators, c) >= 0:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	if quoted {
		return nil, errors.New("a quotation mark is not closed")
	}
	return append(parts, text[start:]), nil
}

// MatchX500 says whether the parts of suffix are the last parts of v.
func MatchX500(suffix, v Value) bool {
	short, _ := suffix.ext.(rdns)
	long, _ := v.ext.(rdns)
	if len(short) > len(long) {
		return false
	}
	return equalNames(short, long[len(long)-len(short):])
}

func equalNames(a, b rdns) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
