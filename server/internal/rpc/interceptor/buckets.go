package interceptor

import (
	"math"
	"sync"
	"time"
)

// Bounds of how many buckets there are. A full bucket is worth as much as none, so idle
// ones are let go as new ones come.
const (
	fewBuckets  = 1024
	mostBuckets = 65536
)

// bucket is what a caller may still take: a token a call.
type bucket struct {
	tokens float64
	at     time.Time // when tokens was true
	inHand int       // unary calls that have not ended
}

// buckets are those of callers of one kind. Callers beyond mostBuckets share one.
type buckets[K comparable] struct {
	rate, burst float64
	share       int // of calls in hand for one caller; 0 for any number
	now         func() time.Time

	mu     sync.Mutex
	of     map[K]*bucket
	others *bucket
	sweep  int       // at how many buckets idle ones are looked for
	swept  time.Time // when they last were
}

func newBuckets[K comparable](l Limits, now func() time.Time) *buckets[K] {
	b := &buckets[K]{rate: l.Rate, burst: l.burst(), share: l.share(), now: now, of: make(map[K]*bucket), sweep: fewBuckets}
	b.others = &bucket{tokens: b.burst, at: now()}
	return b
}

// take takes a token of a caller. Without one left it returns how long one takes to come.
func (b *buckets[K]) take(who K) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	mine := b.find(who, now)
	b.fill(mine, now)
	if wait, spent := b.untilToken(mine); spent {
		return wait, false
	}
	mine.tokens--
	return 0, true
}

// spent returns how long a caller's next token takes to come, if he has none. It takes none.
func (b *buckets[K]) spent(who K) (wait time.Duration, is bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine, found := b.of[who]
	if !found {
		return 0, false
	}
	b.fill(mine, b.now())
	return b.untilToken(mine)
}

func (b *buckets[K]) untilToken(of *bucket) (wait time.Duration, spent bool) {
	if of.tokens >= 1 {
		return 0, false
	}
	return time.Duration((1 - of.tokens) / b.rate * float64(time.Second)), true
}

// begin notes a call in hand, unless the caller has his share of them already.
func (b *buckets[K]) begin(who K) (end func(), ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine := b.find(who, b.now())
	if b.share > 0 && mine.inHand >= b.share && mine != b.others {
		return nil, false
	}
	mine.inHand++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		mine.inHand--
	}, true
}

// find returns the bucket of a caller, full when he has none yet.
func (b *buckets[K]) find(who K, now time.Time) *bucket {
	if mine, found := b.of[who]; found {
		return mine
	}
	if len(b.of) >= b.sweep {
		b.forgetIdle(now)
	}
	if len(b.of) >= mostBuckets {
		return b.others
	}
	mine := &bucket{tokens: b.burst, at: now}
	b.of[who] = mine
	return mine
}

// forgetIdle lets go of the buckets that are full again. It looks at all of them, so it does
// so when there are twice as many as it left, and no more often than a bucket takes to fill.
func (b *buckets[K]) forgetIdle(now time.Time) {
	if now.Sub(b.swept).Seconds() < b.burst/b.rate && len(b.of) >= mostBuckets {
		return
	}
	b.swept = now
	for who, of := range b.of {
		if b.fill(of, now); of.tokens >= b.burst && of.inHand == 0 {
			delete(b.of, who)
		}
	}
	b.sweep = min(max(fewBuckets, 2*len(b.of)), mostBuckets)
}

func (b *buckets[K]) fill(of *bucket, now time.Time) {
	if passed := now.Sub(of.at).Seconds(); passed > 0 {
		of.tokens, of.at = math.Min(b.burst, of.tokens+passed*b.rate), now
	}
}
