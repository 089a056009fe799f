package walk

// shared is what several parts of a list of subjects have in common. Each part of a term that is no
// union has a set of its own, and what leads to the same objects would be gone over for each of
// them, and so for each way to them. From the second time on, the members of such an object are
// a set that is kept.
type shared struct {
	parts int // of terms that are no unions, one within another, that are collected
	met   table
	kept  map[state]keptMembers
	size  int // members of all that are kept
}

type keptMembers struct {
	members
	height int
}

// mostShared is how many members are kept at most, some counted more than once. Each takes about
// thirty bytes.
const mostShared = 1 << 22

// give adds the members of a program of an object, if they are kept.
func (s *shared) give(w *walker, here state, level int, out *members) (given bool) {
	if s.parts == 0 {
		return false
	}
	have, given := s.kept[here]
	if given && w.goesTo(level+have.height) {
		out.merge(&have.members)
		out.visited.put(here.key(), uint8(have.height))
	}
	return given
}

// collect adds the members of a program of an object, and keeps them if it was met before.
func (s *shared) collect(w *walker, p *plan, here state, level int, out *members) {
	if s.parts == 0 {
		w.collect(p, here.node, level, out)
		return
	}
	if _, again := s.met.find(here.key()); !again {
		s.met.put(here.key(), 0)
		w.collect(p, here.node, level, out)
		return
	}
	var own members
	w.collect(p, here.node, level, &own)
	if w.done {
		return
	}
	if s.size += len(own.ids); s.size > mostShared {
		w.stop(TooMuch)
		return
	}
	if s.kept == nil {
		s.kept = make(map[state]keptMembers)
	}
	s.kept[here] = keptMembers{own, w.deepest - level}
	out.merge(&own)
}

// empty forgets all of it.
func (s *shared) empty() {
	s.met.empty()
	s.parts, s.kept, s.size = 0, nil, 0
}
