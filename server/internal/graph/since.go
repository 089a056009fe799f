package graph

// Version names a state of one graph for as long as the process runs. The zero Version is
// none's.
type Version struct {
	of       *identity
	revision uint64
}

// identity tells graphs apart, and keeps none in memory.
type identity struct{ _ byte }

// Before reports whether another version is a later one of the same graph.
func (v Version) Before(later Version) bool { return v.of == later.of && v.revision < later.revision }

// Version returns what names the snapshot's state.
func (s *Snapshot) Version() Version {
	if s.log == nil {
		return Version{}
	}
	return Version{s.log.id, s.revision}
}

// Oldest returns the oldest version that the snapshot's graph still answers at.
func (s *Snapshot) Oldest() Version {
	if s.log == nil {
		return Version{}
	}
	return Version{s.log.id, (*s.log.commits.Load())[0].revision}
}

// Since calls f with the ends of each tuple that may differ between an earlier version and
// the snapshot, until f returns false. complete is false when f did, when these are more
// than a number of tuples, and when the graph cannot tell: the version is another graph's, no
// earlier one, or older than the log.
func (s *Snapshot) Since(v Version, most int, f func(resource, subject Node) bool) (complete bool) {
	if !v.Before(s.Version()) {
		return v == s.Version() && s.log != nil
	}
	commits := *s.log.commits.Load()
	first, last := headAt(commits, v.revision), headAt(commits, s.revision)
	if first < 0 || commits[last].weight-commits[first].weight > most+commitWeight*(last-first) {
		return false
	}
	for _, c := range commits[first+1 : last+1] {
		for i := range c.changes {
			if !f(c.changes[i].resource, c.changes[i].subject) {
				return false
			}
		}
	}
	return true
}
