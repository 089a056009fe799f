package value

import (
	"cmp"
	"math"
)

// Equal says whether a and b, of one kind, are the same value.
func Equal(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case String, AnyURI, XPathExpression, Unknown, IPAddress, DNSName:
		return a.text == b.text
	case Boolean, Integer, YearMonthDuration:
		return a.num == b.num
	case DayTimeDuration:
		return a.num == b.num && a.spanNanos() == b.spanNanos()
	case Double: // XML Schema: NaN equals itself
		return a.Float() == b.Float() || math.IsNaN(a.Float()) && math.IsNaN(b.Float())
	case Time, Date, DateTime:
		return Compare(a, b) == 0
	case X500Name:
		x, _ := a.ext.(rdns)
		y, _ := b.ext.(rdns)
		return equalNames(x, y)
	case HexBinary, Base64Binary, RFC822Name:
		return a.ext == b.ext // strings
	}
	return false
}

// Compare orders a and b, of one kind that has an order: -1, 0 or 1.
func Compare(a, b Value) int {
	switch a.kind {
	case Integer, YearMonthDuration:
		return cmp.Compare(a.num, b.num)
	case Double:
		return cmp.Compare(a.Float(), b.Float())
	case Time, Date, DateTime:
		x, ok := a.ext.(*moment)
		y, ok2 := b.ext.(*moment)
		if !ok || !ok2 {
			return 0
		}
		return x.compare(y)
	default:
		return cmp.Compare(a.text, b.text)
	}
}
