package value

import (
	"errors"
	"fmt"
	"strings"
)

// part is one number of a duration and the letter after it.
type part struct {
	number int64
	nanos  int
	letter byte
	inTime bool // after the T
}

// parts cuts a duration into its numbers. letters are those that may occur, in order.
func parts(text, dateLetters, timeLetters string) (negative bool, all []part, err error) {
	wrong := fmt.Errorf("want P and numbers with one of %s%s each", dateLetters, timeLetters)
	s := scanner{text}
	negative = s.sign('-')
	if !s.sign('P') {
		return false, nil, wrong
	}
	inTime, left := false, dateLetters
	for s.rest != "" {
		if !inTime && timeLetters != "" && s.sign('T') {
			inTime, left = true, timeLetters
			if s.rest == "" {
				return false, nil, errors.New("nothing follows the T")
			}
		}
		p, ok := s.part()
		at := strings.IndexByte(left, p.letter)
		if !ok || at < 0 || p.nanos != 0 && p.letter != 'S' {
			return false, nil, wrong
		}
		p.inTime, left = inTime, left[at+1:]
		all = append(all, p)
	}
	if len(all) == 0 {
		return false, nil, wrong
	}
	return negative, all, nil
}

func (s *scanner) part() (part, bool) {
	n := 0
	for n < len(s.rest) && s.rest[n] >= '0' && s.rest[n] <= '9' {
		n++
	}
	if n == 0 || n > 12 {
		return part{}, false
	}
	var p part
	number, _ := s.digits(n)
	p.number = int64(number)
	if s.sign('.') {
		var ok bool
		if p.nanos, ok = s.fraction(); !ok || s.rest == "" || s.rest[0] != 'S' {
			return part{}, false
		}
	}
	if s.rest == "" {
		return part{}, false
	}
	p.letter = s.rest[0]
	s.rest = s.rest[1:]
	return p, true
}

func parseYearMonth(text string) (Value, error) {
	negative, all, err := parts(text, "YM", "")
	if err != nil {
		return Value{}, err
	}
	var months int64
	for _, p := range all {
		if p.letter == 'Y' {
			p.number *= 12
		}
		months += p.number
	}
	if negative {
		months = -months
	}
	return Value{num: months}, nil
}

func parseDayTime(text string) (Value, error) {
	negative, all, err := parts(text, "D", "HMS")
	if err != nil {
		return Value{}, err
	}
	var seconds int64
	nanos := 0
	for _, p := range all {
		switch p.letter {
		case 'D':
			p.number *= daySeconds
		case 'H':
			p.number *= 3600
		case 'M':
			p.number *= 60
		}
		seconds += p.number
		nanos += p.nanos
	}
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	v := Value{num: seconds}
	if nanos != 0 {
		v.ext = nanos
	}
	return v, nil
}

// spanNanos returns the fraction of a DayTimeDuration's seconds.
func (v Value) spanNanos() int {
	nanos, _ := v.ext.(int)
	return nanos
}

// maxSpan keeps sums of seconds and months far from overflow.
const maxSpan = 1 << 58

// Add returns a date or dateTime moved by a duration; sign is 1 or -1.
func Add(at, by Value, sign int64) (Value, error) {
	m, ok := at.ext.(*moment)
	if !ok {
		return Value{}, errors.New("only dates and times can be moved")
	}
	if by.num > maxSpan || by.num < -maxSpan {
		return Value{}, errors.New("the duration is out of range")
	}
	var moved *moment
	var err error
	if by.kind == YearMonthDuration {
		moved, err = m.shiftMonths(sign * by.num)
	} else {
		moved, err = m.shift(sign*by.num, int(sign)*by.spanNanos())
	}
	if err != nil {
		return Value{}, fmt.Errorf("move %s by %s: %w", at.text, by.text, err)
	}
	return moved.value(at.kind), nil
}

// TimeInRange says whether at lies between low and high, both included. A high before
// low is the next day's. Bounds without a zone are in the zone of at.
func TimeInRange(at, low, high Value) bool {
	m, ok := at.ext.(*moment)
	l, okLow := low.ext.(*moment)
	h, okHigh := high.ext.(*moment)
	if !ok || !okLow || !okHigh {
		return false
	}
	return betweenOnDay(m, inZoneOf(l, m), inZoneOf(h, m))
}

func inZoneOf(m, other *moment) *moment {
	if m.hasZone {
		return m
	}
	r := *m
	r.zone, r.hasZone = other.zone, other.hasZone
	return &r
}

// betweenOnDay asks on a circle of one day, so that zones on the other side of midnight
// do not matter.
func betweenOnDay(m, low, high *moment) bool {
	const day = daySeconds * int64(1e9)
	place := func(of *moment) int64 {
		return (of.seconds()%daySeconds*1e9 + int64(of.nanos) + 2*day) % day
	}
	span := (place(high) - place(low) + day) % day
	return (place(m)-place(low)+day)%day <= span
}
