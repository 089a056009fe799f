package value

// Kind is a data type.
type Kind uint8

// The data types. Unknown is a type that only its URI tells from others.
const (
	Unknown Kind = iota
	String
	Boolean
	Integer
	Double
	Time
	Date
	DateTime
	DayTimeDuration
	YearMonthDuration
	AnyURI
	HexBinary
	Base64Binary
	RFC822Name
	X500Name
	IPAddress
	DNSName
	XPathExpression
)

// Kinds is the number of data types.
const Kinds = int(XPathExpression) + 1

const xs = "http://www.w3.org/2001/XMLSchema#"

// URIs of data types that code outside this package names.
const (
	StringURI          = xs + "string"
	AnyURIURI          = xs + "anyURI"
	IntegerURI         = xs + "integer"
	XPathExpressionURI = "urn:oasis:names:tc:xacml:3.0:data-type:xpathExpression"
)

// uris are the identifiers of the types by kind.
var uris = [Kinds]string{
	String:            StringURI,
	Boolean:           xs + "boolean",
	Integer:           IntegerURI,
	Double:            xs + "double",
	Time:              xs + "time",
	Date:              xs + "date",
	DateTime:          xs + "dateTime",
	DayTimeDuration:   xs + "dayTimeDuration",
	YearMonthDuration: xs + "yearMonthDuration",
	AnyURI:            AnyURIURI,
	HexBinary:         xs + "hexBinary",
	Base64Binary:      xs + "base64Binary",
	RFC822Name:        "urn:oasis:names:tc:xacml:1.0:data-type:rfc822Name",
	X500Name:          "urn:oasis:names:tc:xacml:1.0:data-type:x500Name",
	IPAddress:         "urn:oasis:names:tc:xacml:2.0:data-type:ipAddress",
	DNSName:           "urn:oasis:names:tc:xacml:2.0:data-type:dnsName",
	XPathExpression:   XPathExpressionURI,
}

// names are the last parts of the identifiers, as functions are named by them.
var names = [Kinds]string{
	Unknown: "unknown", String: "string", Boolean: "boolean", Integer: "integer", Double: "double",
	Time: "time", Date: "date", DateTime: "dateTime", DayTimeDuration: "dayTimeDuration",
	YearMonthDuration: "yearMonthDuration", AnyURI: "anyURI", HexBinary: "hexBinary",
	Base64Binary: "base64Binary", RFC822Name: "rfc822Name", X500Name: "x500Name",
	IPAddress: "ipAddress", DNSName: "dnsName", XPathExpression: "xpathExpression",
}

// URI returns the identifier of the data type, "" for Unknown.
func (k Kind) URI() string { return uris[k] }

// String returns the short name, as in string-equal.
func (k Kind) String() string { return names[k] }

// older spellings of the two durations, which earlier versions of XACML used.
const (
	duration2002 = "http://www.w3.org/TR/2002/WD-xquery-operators-20020816#"
	duration2    = "urn:oasis:names:tc:xacml:2.0:data-type:"
)

// KindOf returns the data type with the identifier uri, Unknown if there is none.
func KindOf(uri string) Kind {
	if uri == StringURI {
		return String
	}
	for k := Boolean; int(k) < Kinds; k++ {
		if uris[k] == uri {
			return k
		}
	}
	switch uri {
	case duration2002 + "dayTimeDuration", duration2 + "dayTimeDuration":
		return DayTimeDuration
	case duration2002 + "yearMonthDuration", duration2 + "yearMonthDuration":
		return YearMonthDuration
	}
	return Unknown
}

// KindNamed returns the data type with the short name, as JSON requests may say it.
func KindNamed(name string) Kind {
	for k := String; int(k) < Kinds; k++ {
		if names[k] == name {
			return k
		}
	}
	return Unknown
}
