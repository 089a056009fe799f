package policy

import (
	"sync"
	"sync/atomic"

	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// Bounds of what is kept compiled.
const (
	maxCached      = 10_000
	maxCachedBytes = 256 << 20 // of texts; a compiled policy takes some times its text
)

// parsed is a text as it was read.
type parsed struct {
	compiled *xacml.Policy
	invalid  error
	size     int
	used     atomic.Bool // since the sweep last came by
}

// cache keeps texts that have been read. What it holds never changes, so nothing in it is
// ever stale. It gives up those that nobody has asked for since it was last full.
type cache struct {
	mu    sync.RWMutex
	known map[Version]*parsed
	order []Version // as they came; the sweep goes round
	hand  int
	bytes int
}

func newCache() *cache { return &cache{known: make(map[Version]*parsed)} }

func (c *cache) get(v Version) (*parsed, bool) {
	c.mu.RLock()
	p, ok := c.known[v]
	c.mu.RUnlock()
	if ok && !p.used.Load() {
		p.used.Store(true)
	}
	return p, ok
}

func (c *cache) put(v Version, p *parsed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.known[v]; ok {
		return
	}
	for len(c.order) > 0 && (len(c.order) >= maxCached || c.bytes+p.size > maxCachedBytes) {
		c.drop()
	}
	c.known[v] = p
	c.order = append(c.order, v)
	c.bytes += p.size
}

// drop gives one up: the next that was not used since the hand came by.
func (c *cache) drop() {
	for {
		c.hand %= len(c.order)
		v := c.order[c.hand]
		p := c.known[v]
		if p.used.CompareAndSwap(true, false) {
			c.hand++
			continue
		}
		delete(c.known, v)
		c.bytes -= p.size
		last := len(c.order) - 1
		c.order[c.hand] = c.order[last]
		c.order = c.order[:last]
		return
	}
}
