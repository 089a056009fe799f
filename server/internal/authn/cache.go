package authn

import (
	"hash/maphash"
	"sync"
	"time"
)

// shards is how many locks the memory is spread over.
const shards = 16

// cache remembers verified tokens until they expire. It holds a bounded number: one more
// puts another out. Rejected tokens are not remembered.
//
// A token is its own key. To make a digest of it took longer than all else of knowing it again, and a
// part, such as its signature, would not do: whoever saw one could put it to another text. So tokens stay
// in the process's memory for as long as they are remembered, 10 to 20 MB of them where there are many.
type cache struct {
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	mu      sync.RWMutex
	size    int
	entries map[Secret]entry
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
	c := cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i] = shard{size: max(1, size/shards), entries: make(map[Secret]entry)}
	}
	return &c
}

func (c *cache) of(token Secret) *shard {
	return &c.shards[maphash.String(c.seed, string(token))%shards]
}

func (c *cache) get(token Secret, now time.Time) (Verified, bool) {
	s := c.of(token)
	s.mu.RLock()
	e, found := s.entries[token]
	s.mu.RUnlock()
	if !found || !e.holds(now) {
		return Verified{}, false
	}
	return e.Verified, true
}

func (c *cache) put(token Secret, e entry, now time.Time) {
	s := c.of(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.entries[token]; !found && len(s.entries) >= s.size {
		s.evict(now)
	}
	s.entries[token] = e
}

// evict removes an entry. It looks at a few for ones that no longer hold, and removes the
// first it sees when there is none; maps are walked from a random place.
func (s *shard) evict(now time.Time) {
	var first *Secret
	seen := 0
	for token, e := range s.entries {
		if !e.holds(now) {
			delete(s.entries, token)
			return
		}
		if first == nil {
			first = &token
		}
		if seen++; seen == 8 {
			break
		}
	}
	delete(s.entries, *first)
}
