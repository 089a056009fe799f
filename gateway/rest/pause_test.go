package rest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"
)

func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pauses
		as := func(who string) context.Context {
			return metadata.NewOutgoingContext(t.Context(), metadata.Pairs("authorization", who))
		}
		p.note(as("one"), time.Second)
		p.note(t.Context(), time.Second) // of nobody
		if got := p.refusal(as("one")); got == nil || got.Status != 429 || got.Reason != "RATE_LIMITED" {
			t.Errorf("who is refused: %+v", got)
		}
		if p.refusal(as("two")) != nil || p.refusal(t.Context()) != nil {
			t.Error("others are refused")
		}
		time.Sleep(time.Second) // of the bubble's clock
		if p.refusal(as("one")) != nil || len(p.until) != 0 {
			t.Errorf("refused for longer than the server said: %v", p.until)
		}
		for n := range 2 * maxPauses {
			p.note(as(fmt.Sprint(n)), time.Second)
		}
		if len(p.until) != maxPauses || p.refusal(as(fmt.Sprint(2*maxPauses))) != nil {
			t.Errorf("%d credentials are remembered", len(p.until))
		}
		time.Sleep(time.Second)
		if p.note(as("one"), time.Second); len(p.until) != 1 {
			t.Errorf("%d credentials are remembered of the past", len(p.until))
		}
	})
}
