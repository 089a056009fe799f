package authn

import (
	"crypto/sha256"
	"sync"
	"time"
)

// digest is the SHA-256 of credentials, under which they are remembered.
type digest [sha256.Size]byte

// shards is how many locks the memory is spread over.
const shards = 16

// cache remembers verified tokens until they expire. It holds a bounded number: one more
// puts another out. Rejected tokens are not remembered.
type cache struct {
	shards [shards]shard
}

type shard struct {
	mu      sync.RWMutex
	size    int
	entries map[digest]entry
}

// entry is a verified token. It holds as long as its verifier has lost no key since.
type entry struct {
	Verified
	verifier   Verifier
	generation uint64
}

func (e entry) holds(now time.Time) bool {
	return now.Before(e.Expires) && e.generation == e.verifier.Generation()
}

// newCache returns a cache of about the size.
func newCache(size int) *cache {
	var c cache
	for i := range c.shards {
		c.shards[i] = shard{size: max(1, size/shards), entries: make(map[digest]entry)}
	}
	return &c
}

func (c *cache) get(d digest, now time.Time) (Verified, bool) {
	s := &c.shards[d[0]%shards]
	s.mu.RLock()
	e, found := s.entries[d]
	s.mu.RUnlock()
	if !found || !e.holds(now) {
		return Verified{}, false
	}
	return e.Verified, true
}

func (c *cache) put(d digest, e entry, now time.Time) {
	s := &c.shards[d[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.entries[d]; !found && len(s.entries) >= s.size {
		s.evict(now)
	}
	s.entries[d] = e
}

// evict removes an entry. It looks at a few for ones that no longer hold, and removes the
// first it sees when there is none; maps are walked from a random place.
func (s *shard) evict(now time.Time) {
	var first *digest
	seen := 0
	for d, e := range s.entries {
		if !e.holds(now) {
			delete(s.entries, d)
			return
		}
		if first == nil {
			first = &d
		}
		if seen++; seen == 8 {
			break
		}
	}
	delete(s.entries, *first)
}
