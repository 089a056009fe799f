package jsonform

import (
	"encoding/json"
	"sort"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

// Style is how a response is spelled. The zero Style is that of the profile.
type Style struct {
	CamelCase bool              // names begin with a small letter
	Nulls     bool              // what is absent is written as null
	Strings   bool              // numbers and booleans are written as strings
	Rename    map[string]string // names of the profile that are written otherwise, as given
}

// WriteResponse writes a response.
func WriteResponse(r *xacml.Response, style Style) ([]byte, error) {
	results := make(array, len(r.Results))
	for i := range r.Results {
		results[i] = style.result(&r.Results[i])
	}
	return style.append(make([]byte, 0, 1024), object{{"Response", results}})
}

// object is a JSON object whose fields keep their order. A nil value is absent.
type object []field

type field struct {
	name  string
	value any
}

type array []any

// append writes v. Each of its parts is encoded once: json.Marshal of an object would go over
// the whole text again at every level.
func (s Style) append(text []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case object:
		return s.appendObject(text, v)
	case array:
		return s.appendArray(text, v)
	case string:
		return appendText(text, v)
	case nil:
		return append(text, "null"...), nil
	}
	one, err := json.Marshal(v)
	return append(text, one...), err
}

// appendObject gives every name its spelling and leaves out, or keeps, what is absent.
func (s Style) appendObject(text []byte, o object) (_ []byte, err error) {
	text = append(text, '{')
	first := true
	for _, f := range o {
		if f.value == nil && !s.Nulls {
			continue
		}
		if !first {
			text = append(text, ',')
		}
		first = false
		if text, err = s.append(append(s.appendName(text, f.name), ':'), f.value); err != nil {
			return nil, err
		}
	}
	return append(text, '}'), nil
}

func (s Style) appendArray(text []byte, a array) (_ []byte, err error) {
	text = append(text, '[')
	for i, one := range a {
		if i > 0 {
			text = append(text, ',')
		}
		if text, err = s.append(text, one); err != nil {
			return nil, err
		}
	}
	return append(text, ']'), nil
}

// appendName writes a name of the profile, in which nothing is to be escaped.
func (s Style) appendName(text []byte, name string) []byte {
	other, renamed := s.Rename[name]
	if !renamed {
		other = name
	}
	text = append(append(text, '"'), other...)
	if !renamed && s.CamelCase {
		text[len(text)-len(name)] |= 0x20
	}
	return append(text, '"')
}

// appendText writes a text in quotes, one with anything to escape as json.Marshal does.
func appendText(text []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			one, err := json.Marshal(s)
			return append(text, one...), err
		}
	}
	return append(append(append(text, '"'), s...), '"'), nil
}

// text makes an empty text absent.
func text(t string) any {
	if t == "" {
		return nil
	}
	return t
}

func (s Style) result(r *xacml.Result) object {
	return object{
		{"Decision", r.Decision.String()},
		{"Status", status(&r.Status)},
		{"Obligations", s.obligations(r.Obligations)},
		{"AssociatedAdvice", s.obligations(r.Advice)},
		{"Category", s.categories(r.Attributes)},
		{"PolicyIdentifierList", policies(r.Policies)},
	}
}

func status(s *xacml.Status) object {
	code := s.Code
	if code == "" {
		code = xacml.StatusOK
	}
	var detail any
	if len(s.Missing) > 0 {
		missing := make(array, len(s.Missing))
		for i, m := range s.Missing {
			missing[i] = object{
				{"AttributeId", m.ID}, {"Category", m.Category}, {"DataType", text(m.DataType)}, {"Issuer", text(m.Issuer)},
			}
		}
		detail = object{{"MissingAttributeDetail", missing}}
	}
	return object{
		{"StatusMessage", text(s.Message)},
		{"StatusDetail", detail},
		{"StatusCode", object{{"Value", string(code)}, {"StatusCode", nil}}},
	}
}

func (s Style) obligations(all []xacml.Obligation) any {
	if len(all) == 0 {
		return nil
	}
	out := make(array, len(all))
	for i := range all {
		assignments := make(array, len(all[i].Assignments))
		for j := range all[i].Assignments {
			a := &all[i].Assignments[j]
			assignments[j] = object{
				{"AttributeId", a.ID}, {"Value", s.value(&a.Value)}, {"Category", text(a.Category)},
				{"DataType", a.Value.DataType}, {"Issuer", text(a.Issuer)},
			}
		}
		out[i] = object{{"Id", all[i].ID}, {"AttributeAssignment", assignments}}
	}
	return out
}

func (s Style) categories(all []xacml.Attributes) any {
	if len(all) == 0 {
		return nil
	}
	out := make(array, len(all))
	for i := range all {
		var attributes array
		for j := range all[i].Attributes {
			a := &all[i].Attributes[j]
			for k := range a.Values {
				attributes = append(attributes, object{
					{"AttributeId", a.ID}, {"Value", s.value(&a.Values[k])}, {"Issuer", text(a.Issuer)},
					{"DataType", a.Values[k].DataType}, {"IncludeInResult", a.IncludeInResult},
				})
			}
		}
		out[i] = object{{"CategoryId", all[i].Category}, {"Id", text(all[i].ID)}, {"Content", nil}, {"Attribute", attributes}}
	}
	return out
}

// value writes a value in the form that its data type has in JSON.
func (s Style) value(v *xacml.AttributeValue) any {
	switch kind := value.KindOf(v.DataType); {
	case kind == value.XPathExpression:
		prefixes := make([]string, 0, len(v.Prefixes))
		for prefix := range v.Prefixes {
			prefixes = append(prefixes, prefix)
		}
		sort.Strings(prefixes)
		namespaces := make(array, len(prefixes))
		for i, prefix := range prefixes {
			namespaces[i] = object{{"Prefix", prefix}, {"Namespace", v.Prefixes[prefix]}}
		}
		return object{{"XPathCategory", v.XPathCategory}, {"Namespaces", namespaces}, {"XPath", v.Text}}
	case s.Strings:
		return v.Text
	case kind == value.Boolean:
		if read, err := value.Parse(kind, v.Text); err == nil {
			return read.Bool()
		}
	case kind == value.Integer:
		if read, err := value.Parse(kind, v.Text); err == nil {
			return read.Int()
		}
	}
	return v.Text
}

func policies(ids []xacml.PolicyID) any {
	if len(ids) == 0 {
		return nil
	}
	var single, sets array
	for _, id := range ids {
		reference := object{{"Id", id.ID}, {"Version", id.Version}}
		if id.Set {
			sets = append(sets, reference)
		} else {
			single = append(single, reference)
		}
	}
	list := object{{"PolicyIdReference", nil}, {"PolicySetIdReference", nil}}
	if single != nil {
		list[0].value = single
	}
	if sets != nil {
		list[1].value = sets
	}
	return list
}
