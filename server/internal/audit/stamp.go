package audit

import (
	"sync"
	"time"
)

// stamps gives times no two of which are the same, in nanoseconds since 1970.
type stamps struct {
	mu   sync.Mutex
	last int64
}

// behind is how far back a clock may be set before the records follow it.
const behind = int64(time.Second)

// next returns the time now, or a little later when it was given already.
func (s *stamps) next() int64 {
	now := time.Now().UnixNano()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now <= s.last && now > s.last-behind {
		now = s.last + 1
	}
	s.last = now
	return now
}
