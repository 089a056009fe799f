package xmlform

import (
	"bytes"
	"encoding/xml"
	"sort"
	"strconv"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// WriteResponse writes a response.
func WriteResponse(r *xacml.Response) []byte {
	w := &writer{}
	w.WriteString(xml.Header)
	w.open("Response", "xmlns", xacml.Namespace)
	for i := range r.Results {
		w.result(&r.Results[i])
	}
	w.shut("Response")
	return w.Bytes()
}

// writer writes elements. Names are ours, values are escaped.
type writer struct{ bytes.Buffer }

// start writes a tag with the attributes that are not empty, without its end.
func (w *writer) start(name string, attrs ...string) {
	w.WriteByte('<')
	w.WriteString(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			w.attr(attrs[i], attrs[i+1])
		}
	}
}

func (w *writer) attr(name, value string) {
	w.WriteString(" " + name + `="`)
	_ = xml.EscapeText(w, []byte(value)) // a buffer takes everything
	w.WriteByte('"')
}

func (w *writer) open(name string, attrs ...string) {
	w.start(name, attrs...)
	w.WriteByte('>')
}

func (w *writer) shut(name string) { w.WriteString("</" + name + ">") }

func (w *writer) element(name, text string, attrs ...string) {
	w.open(name, attrs...)
	_ = xml.EscapeText(w, []byte(text)) // a buffer takes everything
	w.shut(name)
}

func (w *writer) result(r *xacml.Result) {
	w.open("Result")
	w.element("Decision", r.Decision.String())
	w.status(&r.Status)
	if len(r.Obligations) > 0 {
		w.open("Obligations")
		for i := range r.Obligations {
			w.obligation("Obligation", &r.Obligations[i])
		}
		w.shut("Obligations")
	}
	if len(r.Advice) > 0 {
		w.open("AssociatedAdvice")
		for i := range r.Advice {
			w.obligation("Advice", &r.Advice[i])
		}
		w.shut("AssociatedAdvice")
	}
	for i := range r.Attributes {
		w.attributes(&r.Attributes[i])
	}
	w.policies(r.Policies)
	w.shut("Result")
}

func (w *writer) status(s *xacml.Status) {
	w.open("Status")
	code := s.Code
	if code == "" {
		code = xacml.StatusOK
	}
	w.start("StatusCode", "Value", string(code))
	w.WriteString("/>")
	if s.Message != "" {
		w.element("StatusMessage", s.Message)
	}
	if len(s.Missing) > 0 {
		w.open("StatusDetail")
		for _, m := range s.Missing {
			w.start("MissingAttributeDetail", "Category", m.Category, "AttributeId", m.ID, "DataType", m.DataType, "Issuer", m.Issuer)
			w.WriteString("/>")
		}
		w.shut("StatusDetail")
	}
	w.shut("Status")
}

func (w *writer) obligation(name string, o *xacml.Obligation) {
	w.open(name, name+"Id", o.ID)
	for i := range o.Assignments {
		a := &o.Assignments[i]
		w.value("AttributeAssignment", &a.Value, "AttributeId", a.ID, "Category", a.Category, "Issuer", a.Issuer)
	}
	w.shut(name)
}

// value writes a value with the namespaces that an XPath expression needs.
func (w *writer) value(name string, v *xacml.AttributeValue, attrs ...string) {
	w.start(name, attrs...)
	w.attr("DataType", v.DataType)
	if v.XPathCategory != "" {
		w.attr("XPathCategory", v.XPathCategory)
		prefixes := make([]string, 0, len(v.Prefixes))
		for prefix := range v.Prefixes {
			prefixes = append(prefixes, prefix)
		}
		sort.Strings(prefixes)
		for _, prefix := range prefixes {
			w.attr("xmlns:"+prefix, v.Prefixes[prefix])
		}
	}
	w.WriteByte('>')
	_ = xml.EscapeText(w, []byte(v.Text)) // a buffer takes everything
	w.shut(name)
}

func (w *writer) attributes(a *xacml.Attributes) {
	w.open("Attributes", "Category", a.Category, "xml:id", a.ID)
	for i := range a.Attributes {
		one := &a.Attributes[i]
		w.open("Attribute", "AttributeId", one.ID, "Issuer", one.Issuer, "IncludeInResult", strconv.FormatBool(one.IncludeInResult))
		for j := range one.Values {
			w.value("AttributeValue", &one.Values[j])
		}
		w.shut("Attribute")
	}
	w.shut("Attributes")
}

func (w *writer) policies(ids []xacml.PolicyID) {
	if len(ids) == 0 {
		return
	}
	w.open("PolicyIdentifierList")
	for _, id := range ids {
		name := "PolicyIdReference"
		if id.Set {
			name = "PolicySetIdReference"
		}
		w.element(name, id.ID, "Version", id.Version)
	}
	w.shut("PolicyIdentifierList")
}
