package world

import "math/rand/v2"

// Row is a question and the oracle's answer.
type Row struct {
	User      int64    `json:"user"`
	Party     int64    `json:"party"`
	Represent bool     `json:"represent"`
	Roles     []string `json:"roles"` // codes, sorted; a set
}

// pair is a question.
type pair struct{ user, party int64 }

// sampler draws questions, the likely ones by chance and the unlikely ones on purpose: a
// rule that is broken in one direction shows at its border only.
type sampler struct {
	r       *rand.Rand
	o       *Oracle
	w       *World
	persons []*Party
	borders [][]Assignment // assignments by the rule at whose border they stand
}

// Rows draws n different questions, a third of them misses. Worlds too small for n give
// fewer.
func (o *Oracle) Rows(w *World, n int, seed uint64) []Row {
	s := &sampler{o: o, w: w}
	s.r = rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // questions are to be the same for a seed
	s.index()
	misses := (n + 2) / 3
	hits := n - misses
	seen := make(map[pair]bool)
	rows := make([]Row, 0, n)
	for tries := 0; tries < 100*n && hits+misses > 0; tries++ {
		q := s.draw(hits > 0 && (misses == 0 || s.r.IntN(2) == 0))
		if q == (pair{}) || seen[q] {
			continue
		}
		row := Row{User: q.user, Party: q.party, Represent: o.Represents(q.user, q.party)}
		left := &misses
		if row.Represent {
			left = &hits
		}
		if *left == 0 {
			continue
		}
		*left--
		seen[q] = true
		row.Roles = o.Roles(q.user, q.party)
		rows = append(rows, row)
	}
	return rows
}

func (s *sampler) index() {
	for i := range s.w.Parties {
		if p := &s.w.Parties[i]; p.UserID != 0 {
			s.persons = append(s.persons, p)
		}
	}
	var ended, below, firm, level, trader []Assignment
	for _, a := range s.w.Assignments {
		from, to := s.o.parties[a.From], s.o.parties[a.To]
		switch {
		case !a.Expires.IsZero() && !a.Expires.After(s.o.now):
			ended = append(ended, a)
		case from.Type == subUnit:
			below = append(below, a)
		case a.Role == "ORGL" || from.UnitType == "IKS":
			level = append(level, a)
		case to.Type == organisation && from.UnitType == "ENK":
			trader = append(trader, a)
		case to.Type == organisation:
			firm = append(firm, a)
		}
	}
	for _, border := range [][]Assignment{ended, below, firm, firm, level, trader} {
		if len(border) > 0 {
			s.borders = append(s.borders, border)
		}
	}
}

// draw draws a question that is likely a hit, or one that may be either.
func (s *sampler) draw(likely bool) pair {
	switch at := s.r.IntN(10); {
	case likely && at < 2:
		p := pick(s.r, s.persons)
		return pair{p.UserID, p.ID}
	case likely && at < 4:
		u := pick(s.r, s.w.Users)
		return s.counted(u)
	case likely:
		return s.held(pick(s.r, s.w.Assignments))
	case at < 4:
		return pair{pick(s.r, s.persons).UserID, pick(s.r, s.w.Parties).ID}
	case at < 5:
		return pair{pick(s.r, s.w.Users).UserID, pick(s.r, s.w.Parties).ID}
	default:
		return s.border(pick(s.r, s.borders))
	}
}

// counted asks a counted user about one of his parties.
func (s *sampler) counted(u User) pair {
	if len(u.Parties) == 0 {
		return pair{u.UserID, u.PartyID}
	}
	return pair{u.UserID, pick(s.r, u.Parties)}
}

// held asks whoever has something by an assignment, about the party or what is below it.
func (s *sampler) held(a Assignment) pair {
	user := s.userOf(a.To)
	party := s.o.parties[a.From]
	if s.r.IntN(3) == 0 {
		party = s.near(party)
	}
	return pair{user, party.ID}
}

// userOf returns the user of a person, or one with some role in an organisation, key or not.
func (s *sampler) userOf(holder int64) int64 {
	p := s.o.parties[holder]
	if p.UserID != 0 {
		return p.UserID
	}
	var inside []int64
	for _, a := range s.o.held[holder] {
		if user := s.o.parties[a.To].UserID; user != 0 {
			inside = append(inside, user)
		}
	}
	if len(inside) == 0 {
		return pick(s.r, s.persons).UserID
	}
	return pick(s.r, inside)
}

// near returns a party that is a main unit of the given one, or next to it in the register.
func (s *sampler) near(p *Party) *Party {
	if p.main != 0 {
		return s.o.parties[p.main]
	}
	for range 20 {
		if other := &s.w.Parties[s.r.IntN(len(s.w.Parties))]; other.main == p.ID {
			return other
		}
	}
	return p
}

// border asks a question at the border of a rule.
func (s *sampler) border(assignments []Assignment) pair {
	a := pick(s.r, assignments)
	user := s.userOf(a.To)
	from, to := s.o.parties[a.From], s.o.parties[a.To]
	switch s.r.IntN(4) {
	case 0: // the main unit, by somebody who has a role in the sub-unit
		if from.main != 0 {
			return pair{user, from.main}
		}
	case 1: // the trader himself, by somebody who acts for the business
		for _, b := range s.o.held[a.From] {
			if b.Role == "INNH" {
				return pair{user, b.To}
			}
		}
	case 2: // the client, by somebody who acts for the organisation that acts for the firm
		if to.UserID == 0 {
			return s.secondHop(a)
		}
	}
	return pair{user, a.From}
}

func (s *sampler) secondHop(a Assignment) pair {
	for _, b := range s.o.held[a.To] {
		if s.o.parties[b.To].Type == organisation {
			return pair{s.userOf(b.To), a.From}
		}
	}
	return pair{s.userOf(a.To), a.From}
}
