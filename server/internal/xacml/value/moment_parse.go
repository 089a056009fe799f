package value

import (
	"errors"
	"strings"
)

// scanner reads the fixed shapes of dates and times.
type scanner struct{ rest string }

// digits reads n digits.
func (s *scanner) digits(n int) (int, bool) {
	if len(s.rest) < n {
		return 0, false
	}
	number := 0
	for i := range n {
		c := s.rest[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		number = number*10 + int(c-'0')
	}
	s.rest = s.rest[n:]
	return number, true
}

func (s *scanner) sign(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *scanner) date(m *moment) error {
	wrong := errors.New("want a date such as 2026-01-31")
	negative := s.sign('-')
	length := strings.IndexByte(s.rest, '-')
	if length < 4 || length > 9 || length > 4 && s.rest[0] == '0' {
		return wrong
	}
	year, ok := s.digits(length)
	if !ok || !s.sign('-') {
		return wrong
	}
	m.year = int64(year)
	if negative {
		m.year = -m.year
	}
	if m.month, ok = s.digits(2); !ok || m.month < 1 || m.month > 12 || !s.sign('-') {
		return wrong
	}
	if m.day, ok = s.digits(2); !ok || m.day < 1 || m.day > daysIn(m.year, m.month) {
		return wrong
	}
	return nil
}

// clock reads a time of day. 24:00:00 is the next day's first second, which it reports.
func (s *scanner) clock(m *moment) (nextDay bool, err error) {
	wrong := errors.New("want a time such as 23:59:59")
	hour, ok1 := s.digits(2)
	colon1 := s.sign(':')
	minute, ok2 := s.digits(2)
	colon2 := s.sign(':')
	second, ok3 := s.digits(2)
	if !ok1 || !ok2 || !ok3 || !colon1 || !colon2 || hour > 24 || minute > 59 || second > 59 {
		return false, wrong
	}
	if s.sign('.') {
		var ok bool
		if m.nanos, ok = s.fraction(); !ok {
			return false, wrong
		}
	}
	if hour == 24 {
		if minute != 0 || second != 0 || m.nanos != 0 {
			return false, wrong
		}
		return true, nil
	}
	m.second = hour*3600 + minute*60 + second
	return false, nil
}

// fraction reads the digits of a second as nanoseconds; what is finer is cut off.
func (s *scanner) fraction() (nanos int, ok bool) {
	n := 0
	for ; n < len(s.rest) && s.rest[n] >= '0' && s.rest[n] <= '9'; n++ {
		if n < 9 {
			nanos = nanos*10 + int(s.rest[n]-'0')
		}
	}
	for i := n; i < 9; i++ {
		nanos *= 10
	}
	s.rest = s.rest[n:]
	return nanos, n > 0
}

// zone reads the zone, if any, and wants nothing after it.
func (s *scanner) zone(m *moment) error {
	if s.rest == "" {
		return nil
	}
	m.hasZone = true
	if s.rest == "Z" {
		return nil
	}
	negative := s.sign('-')
	if !negative && !s.sign('+') {
		return errors.New("want a zone such as Z or +01:00 at the end")
	}
	hours, ok1 := s.digits(2)
	colon := s.sign(':')
	minutes, ok2 := s.digits(2)
	if !ok1 || !ok2 || !colon || s.rest != "" || minutes > 59 || hours*60+minutes > 14*60 {
		return errors.New("want a zone between -14:00 and +14:00")
	}
	m.zone = hours*60 + minutes
	if negative {
		m.zone = -m.zone
	}
	return nil
}

func parseDate(text string) (Value, error) {
	s, m := scanner{text}, &moment{}
	if err := s.date(m); err != nil {
		return Value{}, err
	}
	return Value{ext: m}, s.zone(m)
}

func parseTime(text string) (Value, error) {
	day := referenceDay
	s, m := scanner{text}, &day
	if _, err := s.clock(m); err != nil {
		return Value{}, err
	}
	return Value{ext: m}, s.zone(m)
}

func parseDateTime(text string) (Value, error) {
	s, m := scanner{text}, &moment{}
	if err := s.date(m); err != nil {
		return Value{}, err
	}
	if !s.sign('T') {
		return Value{}, errors.New("want T between date and time")
	}
	nextDay, err := s.clock(m)
	if err != nil {
		return Value{}, err
	}
	if nextDay {
		if m, err = m.shift(daySeconds, 0); err != nil {
			return Value{}, err
		}
	}
	return Value{ext: m}, s.zone(m)
}
