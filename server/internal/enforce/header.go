package enforce

import (
	"strings"
)

// Header is one line of a request's headers, as the client sent it.
type Header struct{ Name, Value string }

// headers are a request's headers by their names as the most forgiving server would take
// them: in lower case, with - for _.
type headers struct {
	values map[string][]string
	lines  []Header
}

// alike returns the name that a forgiving server takes a name for.
func alike(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
}

func newHeaders(lines []Header) (headers, error) {
	h := headers{make(map[string][]string, len(lines)), lines}
	for _, line := range lines {
		if !isToken(line.Name) || strings.ContainsAny(line.Value, "\r\n\x00") {
			return headers{}, malformed("the request has a header that is none")
		}
		name := alike(line.Name)
		h.values[name] = append(h.values[name], line.Value)
	}
	return h, nil
}

// single returns the value of a header that may be there once, empty when it is not there.
// It is not ok when it is there twice, in whatever spelling: two parts of a system must
// never act on different ones.
func (h headers) single(name string) (value string, ok bool) {
	switch values := h.values[name]; len(values) {
	case 0:
		return "", true
	case 1:
		return strings.TrimSpace(values[0]), true
	}
	return "", false
}

// isToken says whether a text can be the name of a header.
func isToken(name string) bool {
	if name == "" || len(name) > 256 {
		return false
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return true
}

// protected are headers that no identity header may be and no rule may read: they carry
// credentials, or say how a message is to be read.
var protected = map[string]bool{
	"authorization": true, "cookie": true, "set-cookie": true, "proxy-authorization": true, "host": true, "connection": true,
	"content-length": true, "transfer-encoding": true, "te": true, "trailer": true, "upgrade": true, "keep-alive": true,
	"content-type": true, "proxy-connection": true, "expect": true,
}
