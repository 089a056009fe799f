package graph

// Stats is what the graph holds and about how much memory that takes.
type Stats struct {
	Tuples       int // of the head, expired ones included
	Objects      int // of the head, with tuples
	Names        int // objects ever seen: names are given up at a restart only
	Relations    int // relations and kinds ever seen
	Commits      int // remembered
	Changes      int // remembered
	Snapshots    int // remembered as such
	NameBytes    int // the dictionary
	EdgeBytes    int // the head's edges, pages and trees
	HistoryBytes int // the log, without the older snapshots' own pages
}

// Stats counts. It goes over all pages of the head, some ten milliseconds per million
// objects, and waits for the open transaction.
func (g *Graph) Stats() Stats {
	g.writer.Lock()
	nameBytes, names := g.dict.bytes(), int(g.dict.nodes)
	g.writer.Unlock()
	head := g.Head()
	st := Stats{
		Tuples: head.tuples, Objects: head.objects, Names: names, Relations: len(head.words.rels),
		NameBytes: nameBytes, EdgeBytes: head.edgeBytes(),
	}
	for _, c := range *g.history.commits.Load() {
		st.Commits++
		st.Changes += len(c.changes)
		if c.snapshot.Load() != nil {
			st.Snapshots++
		}
	}
	const commitBytes, changeBytes = 128, 24
	st.HistoryBytes = st.Commits*commitBytes + st.Changes*changeBytes
	return st
}

// edgeBytes returns the size of what the state's version consists of, as allocated.
func (s *state) edgeBytes() int {
	const fanBytes = 8*fan + 32
	n := treeBytes(&s.tallies, 16)
	for i := range s.names {
		n += treeBytes(&s.names[i], 4)
	}
	for _, r := range s.lists {
		for _, u := range r {
			if u == nil {
				continue
			}
			n += fanBytes
			for _, m := range u.kids {
				if m != nil {
					n += fanBytes + m.bytes(fanBytes)
				}
			}
		}
	}
	return n
}

// bytes returns the size of what is below m.
func (m *middle) bytes(fanBytes int) int {
	n := 0
	for _, l := range m.kids {
		if l != nil {
			n += fanBytes + l.bytes()
		}
	}
	return n
}

// bytes returns the size of the pages below l.
func (l *lower) bytes() int {
	const extraBytes, sideBytes = 64, 24
	n := 0
	for i, p := range l.pages {
		if p == nil {
			continue
		}
		n += 8 * (pageWords + int(p.room))
		if !p.extra {
			continue
		}
		x := l.extras.of[i]
		n += extraBytes + sideBytes*cap(x.sides)
		for _, l := range x.large {
			n += extraBytes + treeBytes(&l.edges, 8) + treeBytes(&l.sides, sideBytes)
		}
	}
	return n
}

// treeBytes estimates the size of a tree whose leaves are about three quarters full.
func treeBytes[K any](t *tree[K], key int) int {
	return t.size*key*4/3 + t.size/treeFill*72
}
