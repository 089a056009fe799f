package enforce

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/behalf-authz/behalf/server/internal/fault"
)

// ReasonMalformed is given when a request can be read in more than one way, so that the
// service behind the gateway may read it in another one than the rules do.
const ReasonMalformed fault.Reason = "REQUEST_MALFORMED"

// maxPath bounds a path, with its query.
const maxPath = 8 << 10

// Path is a path in its canonical form: segments, each decoded once.
type Path struct{ segments []string }

// ParsePath reads what a request asked for: a path and perhaps a query, which no rule looks
// at. It refuses all that a server might read differently: empty segments, dot segments,
// escaped slashes, backslashes, path parameters, escapes of escapes, control characters,
// text that is not UTF-8, and targets that do not begin with a slash. One slash at the end
// makes no difference, as most servers make none.
func ParsePath(target string) (Path, error) {
	raw, _, _ := strings.Cut(target, "?")
	switch {
	case len(target) > maxPath:
		return Path{}, malformed("the path is longer than 8 KiB")
	case !strings.HasPrefix(raw, "/"):
		return Path{}, malformed("the path does not begin with a slash")
	case raw == "/":
		return Path{}, nil
	}
	var p Path
	for segment := range strings.SplitSeq(strings.TrimSuffix(raw[1:], "/"), "/") {
		decoded, err := decodeSegment(segment)
		if err != nil {
			return Path{}, err
		}
		p.segments = append(p.segments, decoded)
	}
	return p, nil
}

// String returns the path for logs.
func (p Path) String() string { return "/" + strings.Join(p.segments, "/") }

func decodeSegment(raw string) (string, error) {
	decoded := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`\;#`, c) >= 0 {
			return "", malformed("the path has a character that must be escaped, or must not be there")
		}
		if c != '%' {
			decoded = append(decoded, c)
			continue
		}
		if i+2 >= len(raw) {
			return "", malformed("the path has half an escape")
		}
		high, ok := hex(raw[i+1])
		low, too := hex(raw[i+2])
		c, i = high<<4|low, i+2
		if !ok || !too || strings.IndexByte(`/\;%`, c) >= 0 || c < ' ' || c == 0x7f {
			return "", malformed("the path has an escape that is not taken")
		}
		decoded = append(decoded, c)
	}
	text := string(decoded)
	switch {
	case text == "":
		return "", malformed("the path has an empty segment")
	case text == "." || text == "..":
		return "", malformed("the path has a dot segment")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, doubtful):
		return "", malformed("the path is not plain UTF-8")
	}
	return text, nil
}

// doubtful says whether others may drop the character, fold it into one of ASCII that means
// something in a path, or show the text in another order.
func doubtful(r rune) bool {
	return r >= 0x80 && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)) || r >= 0xff00 && r <= 0xffef ||
		r == '\u2024' || r == '\u2025' || r == '\u2026' || r == '\u2044' || r == '\u2215' || r == '\ufffd'
}

func hex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// parseHost returns a host in its canonical form, lower case and without a port.
func parseHost(host string) (string, error) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		port := host[i+1:]
		if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return "", malformed("the host has a port that is no number")
		}
		host = host[:i]
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if v6, ok := strings.CutPrefix(host, "["); ok {
		if v6, ok = strings.CutSuffix(v6, "]"); ok && v6 != "" && strings.Trim(v6, "0123456789abcdef:.") == "" {
			return host, nil
		}
		return "", malformed("the host is no name")
	}
	if host == "" || len(host) > 253 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" || strings.Contains(host, "..") {
		return "", malformed("the host is no name")
	}
	return host, nil
}

func malformed(message string) error { return fault.New(fault.Invalid, ReasonMalformed, "%s", message) }
