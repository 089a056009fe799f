package jsonform

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/encoding/json"

	"github.com/behalf-authz/behalf/server/internal/xacml"
	"github.com/behalf-authz/behalf/server/internal/xacml/value"
	"github.com/behalf-authz/behalf/server/internal/xacml/xmltree"
)

type attributeObject struct {
	AttributeID     string `json:"AttributeId"`
	Issuer          string
	IncludeInResult bool
	DataType        string
	Value           json.RawMessage
}

func attribute(data []byte) (xacml.Attribute, error) {
	var object attributeObject
	if err := read(data, &object); err != nil {
		return xacml.Attribute{}, err
	}
	a := xacml.Attribute{ID: object.AttributeID, Issuer: object.Issuer, IncludeInResult: object.IncludeInResult}
	if a.ID == "" {
		return a, errors.New("AttributeId is missing")
	}
	values := many{object.Value}
	if bytes.HasPrefix(object.Value, []byte("[")) {
		if err := read(object.Value, &values); err != nil {
			return a, err
		}
	}
	dataType := fullType(object.DataType)
	for _, data := range values {
		v, err := attributeValue(dataType, data)
		if err != nil {
			return a, fmt.Errorf("%s: %w", a.ID, err)
		}
		a.Values = append(a.Values, v)
	}
	if dataType == "" {
		agree(a.Values)
	}
	return a, nil
}

// fullType returns the identifier of a data type that is named in short.
func fullType(name string) string {
	short := strings.TrimPrefix(name, "xs:")
	if kind := value.KindNamed(short); kind != value.Unknown {
		return kind.URI()
	}
	return name
}

// agree makes a list of integers and doubles one of doubles, as it has one data type.
func agree(values []xacml.AttributeValue) {
	doubles := false
	for i := range values {
		doubles = doubles || values[i].DataType == value.Double.URI()
	}
	for i := range values {
		if doubles && values[i].DataType == value.IntegerURI {
			values[i].DataType = value.Double.URI()
		}
	}
}

type xpathObject struct {
	XPathCategory string
	XPath         string
	Namespaces    []struct{ Prefix, Namespace string }
}

// attributeValue reads a value, whose data type follows from its form if none is given.
func attributeValue(dataType string, data []byte) (xacml.AttributeValue, error) {
	v := xacml.AttributeValue{DataType: dataType}
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return v, errors.New("the Value is missing")
	}
	inferred := value.StringURI
	switch data[0] {
	case '"':
		if err := read(data, &v.Text); err != nil {
			return v, err
		}
	case 't', 'f':
		v.Text, inferred = string(data), value.Boolean.URI()
	case '{':
		var x xpathObject
		if err := read(data, &x); err != nil {
			return v, err
		}
		v.Text, v.XPathCategory, inferred = x.XPath, x.XPathCategory, value.XPathExpressionURI
		v.Prefixes = make(map[string]string, len(x.Namespaces))
		for _, n := range x.Namespaces {
			v.Prefixes[n.Prefix] = n.Namespace
		}
	case '[':
		return v, errors.New("a Value is a list in a list")
	default:
		v.Text, inferred = string(data), value.IntegerURI
		if strings.ContainsAny(v.Text, ".eE") {
			inferred = value.Double.URI()
		}
	}
	if v.DataType == "" {
		v.DataType = inferred
	}
	return v, nil
}

// content reads a document of a category: XML, plain or in Base64.
func content(text string, limits xmltree.Limits) (*xmltree.Node, error) {
	data := []byte(strings.TrimSpace(text))
	if !bytes.HasPrefix(data, []byte("<")) {
		decoded, err := base64.StdEncoding.DecodeString(string(data))
		if err != nil {
			return nil, errors.New("it is neither XML nor XML in Base64")
		}
		data = decoded
	}
	root, err := xmltree.Parse(data, limits)
	if err != nil {
		return nil, err
	}
	if root.Space == xacml.Namespace && root.Local == "Content" && len(root.Elements()) == 1 {
		root = root.Elements()[0]
	}
	return root.Detach(), nil
}
