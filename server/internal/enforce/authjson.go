package enforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/behalf-authz/behalf/server/internal/enforce/expression"
)

// authText is the file in which Mia-Platform's authorization service has its routes: what
// each path and what begins with it asks for, by method.
type authText map[string]map[string]methodText

type methodText struct {
	Authorization           *gateText `json:"authorization"`
	BackofficeAuthorization *gateText `json:"backofficeAuthorization"`
}

type gateText struct {
	Expression *string `json:"expression"`
	Public     *bool   `json:"public"`
}

// isAuthJSON says whether a text is meant to be such a file: an object whose first key is a path.
func isAuthJSON(text []byte) bool {
	inner, object := bytes.CutPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
	return object && bytes.HasPrefix(bytes.TrimLeft(inner, " \t\r\n"), []byte(`"/`))
}

// authKeys are the keys that are known below a method. A key that is misspelt, also by its
// case alone, would leave a route without what it asks for.
var authKeys = []string{"authorization", "backofficeAuthorization", "expression", "public"}

// readAuthJSON reads the text of such a file.
func readAuthJSON(text []byte) (authText, error) {
	if len(text) > maxFile {
		return nil, errors.New("is larger than 4 MiB")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := checkKeys(decoder, 0); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has more than one JSON value")
	}
	var file authText
	decoder = json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("is not as Mia's: %w", err)
	}
	if len(file) == 0 {
		return nil, errors.New("has no routes")
	}
	return file, nil
}

// maxAuthDepth is how deep objects stand in objects: paths, methods, authorizations, and these.
const maxAuthDepth = 3

// checkKeys goes through a value and refuses keys that are there twice, of which one would
// count without a word, and those that are not known.
func checkKeys(decoder *json.Decoder, depth int) error {
	t, err := decoder.Token()
	if err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	switch t {
	case json.Delim('['):
		return fmt.Errorf("has a list at byte %d", decoder.InputOffset())
	case json.Delim('{'):
	default:
		return nil
	}
	if depth > maxAuthDepth {
		return fmt.Errorf("has an object too deep at byte %d", decoder.InputOffset())
	}
	seen := make(map[string]bool)
	for decoder.More() {
		t, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("is no JSON: %w", err)
		}
		key, _ := t.(string)
		if seen[key] {
			return fmt.Errorf("has the key %.100q twice", key)
		}
		if depth >= 2 && !slices.Contains(authKeys, key) {
			return fmt.Errorf("has the unknown key %.100q", key)
		}
		seen[key] = true
		if err := checkKeys(decoder, depth+1); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	return nil
}

// compileAuth returns the routes of such a file, in the order of their paths, and every fault.
func compileAuth(file authText) (routes []*route, faults []error) {
	for path, byMethod := range inOrder(file) {
		c := &compiler{where: fmt.Sprintf("mia: %q", path)}
		p, err := parsePrefix(path)
		if err != nil {
			c.fault("%w", err)
		}
		if len(byMethod) == 0 {
			c.fault("has no methods")
		}
		for method, text := range inOrder(byMethod) {
			r := &route{name: method + " " + path, pattern: p, methods: miaMethods(byMethod, method)}
			if r.methods == nil {
				c.fault("%q is not one of %s and ALL", method, strings.Join(specificMethods, ", "))
			}
			r.rule = c.compileMethod(method, text)
			routes = append(routes, r)
		}
		faults = append(faults, c.faults...)
	}
	return routes, faults
}

// inOrder goes through a map by its keys' order, so that faults come in the same one each time.
func inOrder[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

// specificMethods are those that Mia's file can name. ALL is these and OPTIONS.
var specificMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// miaMethods returns what a method of the file takes: itself, and ALL what no other takes.
func miaMethods(byMethod map[string]methodText, method string) []string {
	if method != "ALL" {
		if slices.Contains(specificMethods, method) {
			return []string{method}
		}
		return nil
	}
	return slices.DeleteFunc(slices.Clone(methods), func(m string) bool {
		_, own := byMethod[m]
		return own
	})
}

// parsePrefix reads a path of Mia's file, which takes all that begins with its segments.
func parsePrefix(path string) (pattern, error) {
	p := pattern{}
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch text, err := decodeSegment(part); {
		case part == "" && strings.Trim(path, "/") == "":
		case strings.HasPrefix(part, ":"): // read as any one segment, as routers do
			p = append(p, patternSegment{kind: anyOne})
		case err != nil || strings.ContainsAny(part, "{}*"):
			return nil, fmt.Errorf("segment %q can never be asked for, or is a wildcard that Mia's file does not have", part)
		default:
			p = append(p, patternSegment{literal, text})
		}
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.HasSuffix(path, "//") {
		return nil, errors.New("the path must begin with one slash, and end with none or one")
	}
	return append(p, patternSegment{kind: rest}), nil
}

func (c *compiler) compileMethod(method string, t methodText) rule {
	if t.Authorization == nil && t.BackofficeAuthorization == nil {
		c.fault("%s says nothing of authorization", method)
	}
	return miaRule{
		front: c.compileGate(method+": authorization", t.Authorization),
		back:  c.compileGate(method+": backofficeAuthorization", t.BackofficeAuthorization),
	}
}

func (c *compiler) compileGate(where string, t *gateText) *gate {
	if t == nil {
		return nil
	}
	if t.Public == nil || t.Expression == nil {
		c.fault("%s must have an expression and public", where)
		return nil
	}
	return &gate{*t.Public, c.compileExpression(where, *t.Expression)}
}

// compileExpression reads an expression. On a fault it is one that holds of nobody.
func (c *compiler) compileExpression(where, text string) stated {
	e, err := expression.Parse(text)
	if err != nil {
		c.fault("%s: the expression %.200q: %w", where, text, err)
	}
	return stated{e}
}
