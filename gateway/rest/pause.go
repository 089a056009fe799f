package rest

import (
	"context"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/gateway/event"
	"github.com/behalf-authz/behalf/gateway/problem"
)

// rateLimited is the reason, of the server, of a refusal that holds until a time it tells.
const rateLimited = "RATE_LIMITED"

// maxPauses bounds the credentials that are remembered.
const maxPauses = 4096

// pauses are until when the server refuses credentials for their rate. To read a body for a
// call that is refused anyhow costs more than the refusal.
type pauses struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// note remembers a refusal of the credentials of ctx.
func (p *pauses) note(ctx context.Context, after time.Duration) {
	key := credentials(ctx)
	if key == "" || after <= 0 {
		return
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = make(map[string]time.Time)
	}
	if len(p.until) >= maxPauses {
		for old, until := range p.until {
			if !until.After(now) {
				delete(p.until, old)
			}
		}
	}
	if len(p.until) < maxPauses {
		p.until[key] = now.Add(after)
	}
}

// refusal returns the answer to a request whose credentials are refused still.
func (p *pauses) refusal(ctx context.Context) *problem.Problem {
	left := p.left(credentials(ctx))
	if left <= 0 {
		return nil
	}
	event.From(ctx).RetryAfter = left
	f := problem.New(problem.HTTPStatus(codes.ResourceExhausted), codes.ResourceExhausted, rateLimited,
		"the caller makes more calls than he may; try again later")
	return &f
}

func (p *pauses) left(key string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, found := p.until[key]
	if !found {
		return 0
	}
	left := time.Until(until)
	if left <= 0 {
		delete(p.until, key)
	}
	return left
}

// credentials returns what the calls of a request carry, empty when it is nothing.
func credentials(ctx context.Context) string {
	md, _ := metadata.FromOutgoingContext(ctx)
	return strings.Join(md.Get("authorization"), "\n")
}
