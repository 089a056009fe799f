package interceptor_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// TestFloodsAreRefusedUnread has a caller go on who was refused for his rate: his calls get no
// further than their headers, which the log shows by saying nothing of them.
func TestFloodsAreRefusedUnread(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Rate, c.Limits.Burst = never, 1 })
	client := behalfv1.NewCheckServiceClient(f.conns["network"])
	flooder := f.asUser(t)
	if _, err := client.Check(flooder, question()); err != nil {
		t.Fatal(err)
	}
	f.log.take(t)
	for n := range 3 {
		_, err := client.Check(flooder, question())
		s := wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
		again := false
		for _, d := range s.Details() {
			info, ok := d.(*errdetails.RetryInfo)
			again = again || ok && info.GetRetryDelay().AsDuration() > 0
		}
		if !again {
			t.Errorf("refusal %d does not say when to come again", n)
		}
		if events := f.log.take(t); (len(events) > 0) != (n == 0) {
			t.Errorf("refusal %d is told by %v", n, events)
		}
	}
	// gRPC would keep the timer of a call that is refused unread until its deadline.
	patient, cancel := context.WithTimeout(flooder, time.Hour)
	defer cancel()
	_, err := client.Check(patient, question())
	wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
	if len(f.log.take(t)) == 0 {
		t.Error("a call that has an hour is refused where its timer would be kept")
	}
	if got := f.refusals(t); got != 4 {
		t.Errorf("%v refusals are counted, want 4", got)
	}
	// Nobody else is held for him: not by other credentials, and not by his beside others.
	if _, err := client.Check(f.asService(t, "behalf:check"), question()); err != nil {
		t.Errorf("another caller: %v", err)
	}
	sent, _ := metadata.FromOutgoingContext(flooder)
	if f.chain.Early(sent) <= 0 {
		t.Error("his next request over HTTP is not refused")
	}
	for name, md := range map[string]metadata.MD{
		"none":             {},
		"two":              {"authorization": {sent["authorization"][0], sent["authorization"][0]}},
		"with a part's":    metadata.Join(sent, metadata.MD{"platformaccesstoken": {"x"}}),
		"others":           {"authorization": {"Bearer x"}},
		"his, differently": {"authorization": {sent["authorization"][0] + "x"}},
	} {
		if after := f.chain.Early(md); after != 0 {
			t.Errorf("credentials, %s: to come again after %s", name, after)
		}
	}
}

// TestFloodsEnd has a caller be served again as soon as he may be.
func TestFloodsEnd(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Rate, c.Limits.Burst = 5, 1 })
	client := behalfv1.NewCheckServiceClient(f.conns["network"])
	flooder := f.asUser(t)
	for refused := 0; refused < 2; {
		_, err := client.Check(flooder, question())
		if err != nil {
			wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
			refused++
		}
	}
	for {
		_, err := client.Check(flooder, question())
		if err == nil {
			return
		}
		wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
	}
}

// refusals returns how many calls were refused by a limit, as the metrics have it.
func (f *fixture) refusals(t *testing.T) (sum float64) {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "behalf_calls_refused_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}
