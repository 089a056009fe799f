package value_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

func TestCanonical(t *testing.T) {
	tests := []struct {
		kind       value.Kind
		text, want string
	}{
		{value.Boolean, "1", "true"},
		{value.Integer, "+007", "7"},
		{value.Double, "10", "1.0E1"},
		{value.Double, "-0.00025", "-2.5E-4"},
		{value.Double, "INF", "INF"},
		{value.Time, "08:23:47.500-05:00", "13:23:47.5Z"},
		{value.Time, "23:30:00-01:00", "00:30:00Z"},
		{value.Time, "08:00:00", "08:00:00"},
		{value.DateTime, "2002-03-22T20:23:47-05:00", "2002-03-23T01:23:47Z"},
		{value.Date, "2002-03-22-05:00", "2002-03-22-05:00"},
		{value.YearMonthDuration, "-P0Y15M", "-P1Y3M"},
		{value.YearMonthDuration, "P0Y", "P0M"},
		{value.DayTimeDuration, "P1DT148H90M61.50S", "P7DT5H31M1.5S"},
		{value.DayTimeDuration, "-PT0.5S", "-PT0.5S"},
		{value.DayTimeDuration, "P0D", "PT0S"},
		{value.DayTimeDuration, "PT24H", "P1D"},
		{value.X500Name, "CN=a , O=b", "CN=a , O=b"},
	}
	for _, test := range tests {
		if got := parsed(t, test.kind, test.text).Canonical(); got != test.want {
			t.Errorf("%v %s: %s, want %s", test.kind, test.text, got, test.want)
		}
	}
}
