package value

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Canonical writes v as XML Schema prefers it: of all spellings of a value the one that
// the standard's string-from functions give. Names, addresses and URIs stay as written.
func (v Value) Canonical() string {
	switch v.kind {
	case Boolean:
		return OfBool(v.Bool()).text
	case Integer:
		return OfInt(v.num).text
	case Double:
		return formatDouble(v.Float())
	case Time, DateTime, Date:
		if m, ok := v.ext.(*moment); ok {
			return m.canonical(v.kind)
		}
	case YearMonthDuration:
		return canonicalMonths(v.num)
	case DayTimeDuration:
		return canonicalSpan(v.num, v.spanNanos())
	case Unknown, String, AnyURI, HexBinary, Base64Binary, RFC822Name, X500Name, IPAddress, DNSName, XPathExpression:
	}
	return v.text
}

// canonical writes a moment in UTC, if it has a zone. A date keeps its zone, without which
// it would not be one day.
func (m *moment) canonical(kind Kind) string {
	if kind != Date && m.hasZone {
		if utc, err := m.shift(-int64(m.zone)*60, 0); err == nil {
			utc.zone = 0
			m = utc
		}
	}
	return m.value(kind).text
}

func canonicalMonths(months int64) string {
	if months == 0 {
		return "P0M"
	}
	sign := ""
	if months < 0 {
		sign, months = "-", -months
	}
	return sign + "P" + unit(months/12, "Y") + unit(months%12, "M")
}

func canonicalSpan(seconds int64, nanos int) string {
	if seconds == 0 && nanos == 0 {
		return "PT0S"
	}
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	seconds, nanos = seconds+int64(nanos/1e9), nanos%1e9
	text := sign + "P" + unit(seconds/daySeconds, "D")
	clock := unit(seconds%daySeconds/3600, "H") + unit(seconds%3600/60, "M")
	if nanos != 0 {
		clock += strings.TrimRight(fmt.Sprintf("%d.%09d", seconds%60, nanos), "0") + "S"
	} else {
		clock += unit(seconds%60, "S")
	}
	if clock != "" {
		text += "T" + clock
	}
	return text
}

func unit(n int64, letter string) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10) + letter
}

// formatDouble writes a double as XML Schema does: 1.0E1.
func formatDouble(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "INF"
	case math.IsInf(f, -1):
		return "-INF"
	case math.IsNaN(f):
		return "NaN"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	power, _ := strconv.Atoi(exponent) // it was written a moment ago
	return mantissa + "E" + strconv.Itoa(power)
}
