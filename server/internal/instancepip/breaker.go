package instancepip

import (
	"sync"
	"time"
)

// breaker lets calls through until several in a row have failed, then none for a while,
// then one that decides how it goes on. The zero breaker lets them through.
type breaker struct {
	mu      sync.Mutex
	failed  int       // in a row
	until   time.Time // no call before
	probing bool      // one is on its way
}

// What opens a breaker and for how long.
const (
	mostFailures = 5
	restFor      = 10 * time.Second
)

// allow says whether a call may be made. Whoever may must tell done how it went.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < mostFailures {
		return true
	}
	if now.Before(b.until) || b.probing {
		return false
	}
	b.probing = true
	return true
}

// done takes how a call went.
func (b *breaker) done(now time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	if ok {
		b.failed = 0
		return
	}
	b.failed++
	b.until = now.Add(restFor)
}

// leave takes that a call was called off, which says nothing about the other system.
func (b *breaker) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}
