package authzen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/behalf-authz/behalf/gateway/problem"
)

// maxDepth is how deep values may be nested.
const maxDepth = 64

// object is a JSON object.
type object = map[string]any

// refusal is why a request is not answered.
type refusal struct {
	status  int
	reason  string
	message string
}

func malformed(format string, args ...any) *refusal {
	return &refusal{http.StatusBadRequest, problem.InvalidArgument, fmt.Sprintf(format, args...)}
}

// read reads the body of a request.
func (a *API) read(w http.ResponseWriter, r *http.Request) (object, *refusal) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, &refusal{http.StatusBadRequest, problem.UnsupportedMediaType, "the Content-Type must be application/json"}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.maxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, &refusal{
			http.StatusRequestEntityTooLarge, problem.BodyTooLarge,
			"the body exceeds the limit of " + strconv.FormatInt(a.maxBody, 10) + " bytes",
		}
	}
	if err != nil {
		return nil, malformed("the body ended before its announced length")
	}
	v, err := parse(text)
	if err != nil {
		return nil, malformed("the body is no I-JSON: %s", err)
	}
	body, ok := v.(object)
	if !ok {
		return nil, malformed("the body must be a JSON object")
	}
	return body, nil
}

// parse reads a text of I-JSON (RFC 7493). Of what two readers could take for different
// things nothing is decided: members that are there twice, and texts that are no Unicode.
func parse(text []byte) (any, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("it is empty")
	}
	if !utf8.Valid(text) || loneSurrogate(text) {
		return nil, errors.New("a text in it is no Unicode")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its value")
	}
	return v, nil
}

// value reads one value.
func value(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("it ends too early")
	case err != nil:
		return nil, errors.New("it cannot be read near byte " + strconv.FormatInt(d.InputOffset(), 10))
	case depth > maxDepth:
		return nil, fmt.Errorf("its values are nested deeper than %d", maxDepth)
	}
	switch t {
	case json.Delim('{'):
		return members(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, end(d)
	}
	return t, nil
}

func members(d *json.Decoder, depth int) (any, error) {
	o := object{}
	for d.More() {
		name, err := d.Token()
		key, ok := name.(string)
		if err != nil || !ok {
			return nil, errors.New("it cannot be read near byte " + strconv.FormatInt(d.InputOffset(), 10))
		}
		if _, twice := o[key]; twice {
			return nil, fmt.Errorf("an object has two members %s", strconv.Quote(clip(key)))
		}
		if o[key], err = value(d, depth+1); err != nil {
			return nil, err
		}
	}
	return o, end(d)
}

// end reads the end of an object or a list.
func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("it ends too early")
	}
	return nil
}

// loneSurrogate reports whether an escape in a JSON text is half a character.
func loneSurrogate(text []byte) bool {
	unit := func(at int) (rune, bool) {
		if at+6 > len(text) || text[at] != '\\' || text[at+1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(text[at+2:at+6]), 16, 16)
		return rune(n), err == nil
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		first, ok := unit(i)
		switch {
		case !ok:
			i++ // whatever is escaped
		case first >= 0xDC00 && first <= 0xDFFF:
			return true
		case first >= 0xD800 && first <= 0xDBFF:
			second, ok := unit(i + 6)
			if !ok || second < 0xDC00 || second > 0xDFFF {
				return true
			}
			i += 11
		default:
			i += 5
		}
	}
	return false
}

// clip keeps a message short.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
