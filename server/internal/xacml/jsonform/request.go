package jsonform

import (
	"bytes"
	"cmp"
	standard "encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

// many is a list, of which one element may stand without brackets.
type many []json.RawMessage

// UnmarshalJSON implements json.Unmarshaler. The elements share the memory of data, which read says.
func (m *many) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return read(data, (*[]json.RawMessage)(m))
	}
	if !bytes.Equal(data, []byte("null")) {
		*m = many{data}
	}
	return nil
}

// read reads data, which has been found valid and does not change any more. Raw messages in it share
// its memory.
func read(data []byte, to any) error {
	if _, err := json.Parse(data, to, json.DontCopyRawMessage); err == nil {
		return nil
	}
	// Its errors quote what was read, which may be about a person. The standard ones have the place.
	err := standard.Unmarshal(data, to)
	var wrong *standard.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	is, _, _ := strings.Cut(wrong.Value, " ") // a number's digits follow it
	return fmt.Errorf("%s is %s and not %s", cmp.Or(wrong.Field, "it"), named(is), named(wrong.Type.Kind().String()))
}

// named returns what JSON calls a type of Go's.
func named(kind string) string {
	switch kind {
	case "bool":
		return "a boolean"
	case "array", "slice":
		return "an array"
	case "object", "struct":
		return "an object"
	}
	return "a " + kind
}

type document struct {
	Request *struct {
		ReturnPolicyIDList  bool `json:"ReturnPolicyIdList"`
		CombinedDecision    bool
		Category            many
		AccessSubject       many
		RecipientSubject    many
		IntermediarySubject many
		Codebase            many
		RequestingMachine   many
		Resource            many
		Action              many
		Environment         many
		MultiRequests       *struct{ RequestReference many }
	}
}

const subjects = "urn:oasis:names:tc:xacml:1.0:subject-category:"

// ReadRequest reads a request. An error means that it is none; a category or a question
// that is wrong in itself is marked, and only what it is part of cannot be answered.
func ReadRequest(data []byte, limits xmltree.Limits) (*xacml.Request, error) {
	most := limits.Bytes
	if most == 0 {
		most = 1 << 20
	}
	if len(data) > most {
		return nil, fmt.Errorf("%d bytes, at most %d are read", len(data), most)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("the text is not UTF-8")
	}
	if !standard.Valid(data) { // which also refuses deep nesting; json.Parse does not
		return nil, fmt.Errorf("the text is no JSON request: %w", standard.Unmarshal(data, new(any)))
	}
	var d document
	if err := read(data, &d); err != nil {
		return nil, fmt.Errorf("the text is no JSON request: %w", err)
	}
	if d.Request == nil {
		return nil, errors.New(`the object "Request" is missing`)
	}
	q := d.Request
	r := &xacml.Request{ReturnPolicyIDs: q.ReturnPolicyIDList, Combined: q.CombinedDecision}
	for _, group := range []struct {
		category string
		objects  many
	}{
		{"", q.Category},
		{xacml.SubjectCategory, q.AccessSubject},
		{subjects + "recipient-subject", q.RecipientSubject},
		{subjects + "intermediary-subject", q.IntermediarySubject},
		{subjects + "codebase", q.Codebase},
		{subjects + "requesting-machine", q.RequestingMachine},
		{xacml.ActionCategory, q.Action},
		{xacml.ResourceCategory, q.Resource},
		{xacml.EnvironmentCategory, q.Environment},
	} {
		for _, object := range group.objects {
			r.Categories = append(r.Categories, attributes(group.category, object, limits))
		}
	}
	if q.MultiRequests != nil {
		r.Questions = questions(r, q.MultiRequests.RequestReference)
	}
	return r, nil
}

type categoryObject struct {
	CategoryID string `json:"CategoryId"`
	ID         string `json:"Id"`
	Content    string
	Attribute  many
}

// attributes reads a category. What is wrong with it is noted in it.
func attributes(category string, data []byte, limits xmltree.Limits) xacml.Attributes {
	a := xacml.Attributes{Category: category}
	var object categoryObject
	if err := read(data, &object); err != nil {
		a.Fault = "a category is no object of attributes: " + err.Error()
		return a
	}
	a.ID = object.ID
	if a.Category == "" {
		a.Category = object.CategoryID
	}
	if a.Category == "" {
		a.Fault = "a category has no CategoryId"
	}
	if object.Content != "" {
		content, err := content(object.Content, limits)
		if err != nil {
			a.Fault = "the content of " + a.Category + ": " + err.Error()
		}
		a.Content = content
	}
	for _, data := range object.Attribute {
		one, err := attribute(data)
		if err != nil {
			a.Fault = "an attribute of " + a.Category + ": " + err.Error()
		}
		a.Attributes = append(a.Attributes, one)
	}
	return a
}

// questions reads MultiRequests.
func questions(r *xacml.Request, references many) []xacml.Question {
	byID := make(map[string]int, len(r.Categories))
	for i := range r.Categories {
		if id := r.Categories[i].ID; id != "" {
			byID[id] = i
		}
	}
	all := make([]xacml.Question, len(references))
	for i, data := range references {
		var reference struct {
			ReferenceID []string `json:"ReferenceId"`
		}
		if err := read(data, &reference); err != nil {
			all[i].Fault = "a RequestReference is no list of ReferenceId: " + err.Error()
			continue
		}
		if len(reference.ReferenceID) == 0 {
			all[i].Fault = "a RequestReference names no category"
		}
		for _, id := range reference.ReferenceID {
			at, found := byID[id]
			if !found {
				all[i].Fault = fmt.Sprintf("no category has the Id %q", id)
				continue
			}
			all[i].Categories = append(all[i].Categories, at)
		}
	}
	return all
}
