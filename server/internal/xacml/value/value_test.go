package value_test

import (
	"testing"

	"github.com/behalf-authz/behalf/server/internal/xacml/value"
)

func parsed(t *testing.T, kind value.Kind, text string) value.Value {
	t.Helper()
	v, err := value.Parse(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParse(t *testing.T) {
	good := map[value.Kind][]string{
		value.Boolean:           {"true", "0", " 1 "},
		value.Integer:           {"-7", "+9", "007", "999999999999999999"},
		value.Double:            {"1e3", "INF", "-.5", "NaN", "1"},
		value.Date:              {"2024-02-29", "-0044-03-15", "2000-01-01+14:00", "12000-01-01Z"},
		value.Time:              {"24:00:00", "08:23:47-05:00", "23:59:59.123456789123Z"},
		value.DateTime:          {"2002-03-22T08:23:47-05:00", "2024-12-31T24:00:00"},
		value.DayTimeDuration:   {"P50DT5H4M3S", "-PT0.5S", "P12DT148H18M21S"},
		value.YearMonthDuration: {"-P5Y3M", "P1M"},
		value.HexBinary:         {"", "0fB8"},
		value.Base64Binary:      {"c3VyZS4=", "c3Vy ZS4="},
		value.RFC822Name:        {"j_hibbert@MEDICO.COM"},
		value.X500Name:          {"cn=Julius Hibbert, o=Medi Corporation, c=US", `cn="a, b",o=x`},
		value.IPAddress:         {"122.45.38.245/255.255.255.64:8080", "[2001:db8::1]/[ffff::]:1-9", "10.0.0.1"},
		value.DNSName:           {"some.host.name:147-874", "a.different.host:-45", "*.example.org", "x:80-"},
	}
	for kind, texts := range good {
		for _, text := range texts {
			if _, err := value.Parse(kind, text); err != nil {
				t.Errorf("%v %q: %v", kind, text, err)
			}
		}
	}
	bad := map[value.Kind][]string{
		value.Boolean:           {"TRUE", "", "yes"},
		value.Integer:           {"1.0", "", "+-1", "--1", "0x1", "99999999999999999999", "1_000"},
		value.Double:            {"Inf", "nan", "0x1p3", "1_0", ""},
		value.Date:              {"2023-02-29", "2023-13-01", "23-01-01", "2023-01-01T", "2023-01-01+14:30", "02023-01-01"},
		value.Time:              {"24:00:01", "8:00:00", "22:12:10-24:53", "10:60:00"},
		value.DateTime:          {"1056-11-05T19:08:12-14:30", "2002-03-22 08:23:47", "2002-03-22"},
		value.DayTimeDuration:   {"P", "PT", "P1DT", "P1M", "PT1S1M", "P1.5D", "PT1.S"},
		value.YearMonthDuration: {"P1D", "P", "P1M1Y"},
		value.HexBinary:         {"0", "0G"},
		value.Base64Binary:      {"c3V", "c3V*"},
		value.RFC822Name:        {"@x", "x@", "xyz"},
		value.X500Name:          {"julius", `cn="a`},
		value.IPAddress:         {"1.2.3", "2001:db8::1", "[1.2.3.4]", "1.2.3.4:99999", "1.2.3.4:-"},
		value.DNSName:           {"", "a..b", "*", "x:9-1", "-a"},
	}
	for kind, texts := range bad {
		for _, text := range texts {
			if v, err := value.Parse(kind, text); err == nil {
				t.Errorf("%v %q was read as %q", kind, text, v.Text())
			}
		}
	}
}

func TestEqualAndCompare(t *testing.T) {
	tests := []struct {
		kind value.Kind
		a, b string
		want int // order; for kinds without one 0 is equal
	}{
		{value.DateTime, "2002-03-22T08:23:47-05:00", "2002-03-22T13:23:47Z", 0},
		{value.DateTime, "2024-12-31T24:00:00", "2025-01-01T00:00:00Z", 0},
		{value.DateTime, "-0001-12-31T00:00:00", "0001-01-01T00:00:00", -1},
		{value.Time, "08:00:00+02:00", "06:00:00Z", 0},
		{value.Date, "2024-01-01+12:00", "2024-01-01Z", -1},
		{value.Integer, "007", "7", 0},
		{value.Double, "1.0", "1e0", 0},
		{value.DayTimeDuration, "P1D", "PT24H", 0},
		{value.YearMonthDuration, "P1Y", "P12M", 0},
		{value.HexBinary, "0fb8", "0FB8", 0},
		{value.Base64Binary, "c3Vy ZS4=", "c3VyZS4=", 0},
		{value.RFC822Name, "a@EXAMPLE.org", "a@example.ORG", 0},
		{value.X500Name, "CN=Julius  Hibbert,O=Medi", "cn=julius hibbert, o=medi", 0},
		{value.X500Name, "cn=a+ou=b", "2.5.4.11=B + cn=A", 0},
	}
	for _, test := range tests {
		a, b := parsed(t, test.kind, test.a), parsed(t, test.kind, test.b)
		if got := value.Equal(a, b); got != (test.want == 0) {
			t.Errorf("%v: %q and %q equal: %v", test.kind, test.a, test.b, got)
		}
		if test.want != 0 && value.Compare(a, b) != test.want {
			t.Errorf("%v: %q against %q is not %d", test.kind, test.a, test.b, test.want)
		}
	}
}

func TestAdd(t *testing.T) {
	tests := []struct {
		at   value.Kind
		text string
		by   value.Kind
		span string
		sign int64
		want string
	}{
		{value.Date, "2024-01-31", value.YearMonthDuration, "P1M", 1, "2024-02-29"},
		{value.Date, "2023-03-31Z", value.YearMonthDuration, "P1M", -1, "2023-02-28Z"},
		{value.Date, "2023-01-15", value.YearMonthDuration, "-P2Y1M", 1, "2020-12-15"},
		{value.DateTime, "2024-02-28T23:59:59.5Z", value.DayTimeDuration, "PT0.5S", 1, "2024-02-29T00:00:00Z"},
		{value.DateTime, "2024-01-01T00:00:00+01:00", value.DayTimeDuration, "PT0.25S", -1, "2023-12-31T23:59:59.75+01:00"},
		{value.DateTime, "2000-01-31T00:00:00", value.YearMonthDuration, "P1Y1M", 1, "2001-02-28T00:00:00"},
	}
	for _, test := range tests {
		got, err := value.Add(parsed(t, test.at, test.text), parsed(t, test.by, test.span), test.sign)
		if err != nil || got.Text() != test.want {
			t.Errorf("%s moved by %d %s: %q, %v, want %s", test.text, test.sign, test.span, got.Text(), err, test.want)
		}
	}
}

func TestTimeInRange(t *testing.T) {
	tests := []struct {
		at, low, high string
		want          bool
	}{
		{"12:00:00Z", "08:00:00Z", "17:00:00Z", true},
		{"07:59:59Z", "08:00:00Z", "17:00:00Z", false},
		{"08:00:00Z", "08:00:00Z", "17:00:00Z", true},
		{"23:30:00Z", "22:00:00Z", "06:00:00Z", true},
		{"12:00:00Z", "22:00:00Z", "06:00:00Z", false},
		{"12:00:00+02:00", "11:00:00", "13:00:00", true},
		{"00:30:00+02:00", "22:00:00Z", "23:00:00Z", true},
	}
	for _, test := range tests {
		at, low, high := parsed(t, value.Time, test.at), parsed(t, value.Time, test.low), parsed(t, value.Time, test.high)
		if got := value.TimeInRange(at, low, high); got != test.want {
			t.Errorf("%s in %s to %s: %v", test.at, test.low, test.high, got)
		}
	}
}
