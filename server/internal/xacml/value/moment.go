package value

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// moment is a point of the calendar of XML Schema: years may be negative, the zone may
// be absent. Times are moments of an arbitrary day, dates are their first second.
type moment struct {
	year    int64
	month   int // 1 to 12
	day     int
	second  int // of the day
	nanos   int
	zone    int // minutes east of UTC
	hasZone bool
}

// referenceDay is the day that times are on: the one XQuery chooses to compare them.
var referenceDay = moment{year: 1972, month: 12, day: 31}

const daySeconds = 86400

// daysBefore returns the days from 1970-01-01 to the first of a month.
func daysBefore(year int64, month int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	inEra := year - era*400
	ofYear := int64((153*(month-3) + 2) / 5)
	return era*146097 + inEra*365 + inEra/4 - inEra/100 + ofYear - 719468
}

// dateOf is the inverse: the date that is days after 1970-01-01.
func dateOf(days int64) (year int64, month, day int) {
	days += 719468
	era := days / 146097
	if days < 0 {
		era = (days - 146096) / 146097
	}
	inEra := days - era*146097
	ofEra := (inEra - inEra/1460 + inEra/36524 - inEra/146096) / 365
	ofYear := inEra - (365*ofEra + ofEra/4 - ofEra/100)
	shifted := (5*ofYear + 2) / 153
	day = int(ofYear - (153*shifted+2)/5 + 1)
	month = int(shifted) + 3
	year = ofEra + era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

func daysIn(year int64, month int) int {
	next, nextMonth := year, month+1
	if nextMonth > 12 {
		next, nextMonth = year+1, 1
	}
	return int(daysBefore(next, nextMonth) - daysBefore(year, month))
}

// seconds places m on the timeline. A moment without zone is taken as UTC, the implicit
// zone of this server.
func (m *moment) seconds() int64 {
	return (daysBefore(m.year, m.month)+int64(m.day-1))*daySeconds + int64(m.second) - int64(m.zone)*60
}

func (m *moment) compare(o *moment) int {
	a, b := m.seconds(), o.seconds()
	if a == b {
		a, b = int64(m.nanos), int64(o.nanos)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// shift moves m by a span of days and seconds.
func (m *moment) shift(seconds int64, nanos int) (*moment, error) {
	r := *m
	r.nanos += nanos
	if r.nanos < 0 {
		r.nanos += 1e9
		seconds--
	} else if r.nanos >= 1e9 {
		r.nanos -= 1e9
		seconds++
	}
	total := daysBefore(m.year, m.month)*daySeconds + int64(m.day-1)*daySeconds + int64(m.second) + seconds
	days := total / daySeconds
	if total%daySeconds < 0 {
		days--
	}
	r.second = int(total - days*daySeconds)
	r.year, r.month, r.day = dateOf(days)
	return &r, r.inRange()
}

// shiftMonths moves m by months; a day that the month does not have becomes its last.
func (m *moment) shiftMonths(months int64) (*moment, error) {
	r := *m
	total := m.year*12 + int64(m.month-1) + months
	r.year, r.month = total/12, int(total%12)+1
	if r.month < 1 {
		r.year--
		r.month += 12
	}
	r.day = min(m.day, daysIn(r.year, r.month))
	return &r, r.inRange()
}

const maxYear = 999_999_999

func (m *moment) inRange() error {
	if m.year > maxYear || m.year < -maxYear {
		return errors.New("the year is out of range")
	}
	return nil
}

func (m *moment) zoneText() string {
	switch {
	case !m.hasZone:
		return ""
	case m.zone == 0:
		return "Z"
	case m.zone < 0:
		return fmt.Sprintf("-%02d:%02d", -m.zone/60, -m.zone%60)
	}
	return fmt.Sprintf("+%02d:%02d", m.zone/60, m.zone%60)
}

func (m *moment) dateText() string {
	if m.year < 0 {
		return fmt.Sprintf("-%04d-%02d-%02d", -m.year, m.month, m.day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", m.year, m.month, m.day)
}

func (m *moment) timeText() string {
	text := fmt.Sprintf("%02d:%02d:%02d", m.second/3600, m.second/60%60, m.second%60)
	if m.nanos != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", m.nanos), "0")
	}
	return text
}

// value makes m a Value of kind.
func (m *moment) value(kind Kind) Value {
	v := Value{kind: kind, ext: m}
	switch kind {
	case Date:
		v.text = m.dateText() + m.zoneText()
	case Time:
		v.text = m.timeText() + m.zoneText()
	default:
		v.text = m.dateText() + "T" + m.timeText() + m.zoneText()
	}
	return v
}

func momentOf(t time.Time) *moment {
	t = t.UTC()
	return &moment{
		year: int64(t.Year()), month: int(t.Month()), day: t.Day(),
		second: t.Hour()*3600 + t.Minute()*60 + t.Second(), nanos: t.Nanosecond(), hasZone: true,
	}
}

// OfInstant returns t as a DateTime in UTC.
func OfInstant(t time.Time) Value { return momentOf(t).value(DateTime) }

// OfDay returns the date of t in UTC.
func OfDay(t time.Time) Value {
	m := momentOf(t)
	m.second, m.nanos = 0, 0
	return m.value(Date)
}

// OfClock returns the time of day of t in UTC.
func OfClock(t time.Time) Value {
	m := momentOf(t)
	m.year, m.month, m.day = referenceDay.year, referenceDay.month, referenceDay.day
	return m.value(Time)
}
