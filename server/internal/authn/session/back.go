package session

import (
	"net/url"
	"slices"
	"strings"
)

// maxBack is the greatest length of an address to come back to.
const maxBack = 2048

// home is where a browser is sent whose address is none of ours.
const home = "/"

// Back returns where a browser may be sent: a path of this host, or an address of one of the
// origins. Anything else becomes the front page: who sends people a link to the login must
// not choose where they end up.
func Back(text string, origins []string) string {
	if text == "" || len(text) > maxBack || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }) {
		return home
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Opaque != "" {
		return home
	}
	if u.Scheme == "" && u.Host == "" {
		if !strings.HasPrefix(text, "/") || ambiguous(text) {
			return home
		}
		return text
	}
	if !slices.Contains(origins, u.Scheme+"://"+u.Host) || ambiguous(u.EscapedPath()) {
		return home
	}
	return text
}

// ambiguous reports whether a path begins with what some browser or proxy takes for a host.
func ambiguous(path string) bool {
	decoded := path
	for range 3 { // some part of the way may decode once more than we do
		if strings.HasPrefix(decoded, "//") || strings.Contains(decoded, `\`) {
			return true
		}
		next, err := url.PathUnescape(decoded)
		if err != nil {
			return decoded == path // a bad escape in the first reading
		}
		decoded = next
	}
	return false
}
