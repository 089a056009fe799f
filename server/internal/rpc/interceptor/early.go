package interceptor

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

	"github.com/behalf-authz/behalf/server/internal/rpc/rpcstatus"
)

// mostOverdrawn bounds of how many credentials it is known that their caller calls too often.
const mostOverdrawn = 4096

// overdrawn knows whose credentials were refused for their rate, so that the next call with
// them is refused before it is read: a caller who floods the server must not have it decode
// and verify what it is not going to answer.
type overdrawn struct {
	mu sync.Mutex
	of map[presented]account
}

// presented are the credentials of a call, as a digest: nothing that is kept can be used again.
type presented [sha256.Size]byte

// presentedBy returns the credentials of a call. Only those count that make an account by
// themselves, whoever sends them.
func presentedBy(md metadata.MD) (p presented, ok bool) {
	authorization, platform := md["authorization"], md[platformTokenKey]
	if len(authorization) != 1 || len(platform) > 0 {
		return p, false
	}
	var short [2048]byte // which most fit into, so that a flood is not copied to the heap
	if text := authorization[0]; len(text) <= len(short) {
		return sha256.Sum256(short[:copy(short[:], text)]), true
	}
	return sha256.Sum256([]byte(authorization[0])), true
}

func (o *overdrawn) add(p presented, a account) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil || len(o.of) >= mostOverdrawn {
		o.of = make(map[presented]account) // who goes on is soon in it again
	}
	o.of[p] = a
}

// none spares a digest where nobody floods.
func (o *overdrawn) none() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.of) == 0
}

func (o *overdrawn) find(p presented) (account, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, found := o.of[p]
	return a, found
}

func (o *overdrawn) remove(p presented) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.of, p)
}

// note keeps whose call was refused for its rate.
func (c *Chain) note(ctx context.Context, a account) {
	if a.address != "" {
		return
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if p, ok := presentedBy(md); ok {
		c.overdrawn.add(p, a)
	}
}

// Early returns when a call with the metadata may be made again that is refused before it is
// read, 0 when it is not refused yet. It is, with credentials of a caller who was refused for
// his rate and still may not call; that is counted with the other refusals, and not in the log.
func (c *Chain) Early(md metadata.MD) (after time.Duration) {
	if c.meters == nil {
		return 0
	}
	if c.overdrawn.none() {
		return 0
	}
	p, ok := presentedBy(md)
	if !ok {
		return 0
	}
	a, found := c.overdrawn.find(p)
	if !found {
		return 0
	}
	after, spent := c.meters.of(a).spent(a)
	if !spent {
		c.overdrawn.remove(p) // he is who his credentials say, which the next call looks at anew
		return 0
	}
	c.metrics.refusedByRate.Inc()
	return max(after, 1)
}

// longestHeld is how far off the deadline of a call is at most that a tap refuses. grpc-go does not
// end the context of such a call, whose timer it keeps until then: a caller who floods us with
// calls that may take for ever would have it keep them for ever.
const longestHeld = 15 * time.Second

// Tap refuses calls of the gRPC port early. It is a tap.ServerInHandle.
func (c *Chain) Tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	if rule, known := c.table[info.FullMethodName]; !known || rule.public || rule.uncounted {
		return ctx, nil
	}
	if ends, has := ctx.Deadline(); has && time.Until(ends) > longestHeld {
		return ctx, nil // the chain refuses it, and ends its context
	}
	if after := c.Early(info.Header); after > 0 {
		return ctx, c.refusal(after)
	}
	return ctx, nil
}

// waitStep is what the wait that a tap tells of is a multiple of.
const waitStep = 10 * time.Millisecond

// refusal is what a call is told that is refused early.
type refusal struct {
	after time.Duration
	err   error
}

// refusal returns the answer to a call that may be made again after a while. Who floods is
// told the same again and again, so the last one is kept.
func (c *Chain) refusal(after time.Duration) error {
	after = (after + waitStep - 1).Truncate(waitStep)
	if last := c.refused.Load(); last != nil && last.after == after {
		return last.err
	}
	next := &refusal{after, rpcstatus.Error(rateLimited(after))}
	c.refused.Store(next)
	return next.err
}
