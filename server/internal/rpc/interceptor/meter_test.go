package interceptor_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/rpc/interceptor"
)

// never is a rate at which no second call comes while a test runs.
const never = 1e-6

func TestCallersHaveTheirOwnRate(t *testing.T) {
	for name := range newFixture(t, nil).conns {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *interceptor.Config) { c.Limits.Rate, c.Limits.Burst = never, 2 })
			client := behalfv1.NewCheckServiceClient(f.conns[name])
			served := 0
			f.checks.check = func(context.Context) (*behalfv1.CheckResponse, error) {
				served++
				return &behalfv1.CheckResponse{}, nil
			}
			other := f.as(t, authn.UserClaims(authn.TokenUser{UserID: 20001338, Level: 3}))
			callers := map[string]context.Context{"user": f.asUser(t), "other": other, "service": f.asService(t, "behalf:check")}
			for who, ctx := range callers {
				served = 0
				for range 2 {
					if _, err := client.Check(ctx, question()); err != nil {
						t.Fatalf("%s: %v", who, err)
					}
				}
				_, err := client.Check(ctx, question())
				s := wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
				var retry time.Duration
				for _, d := range s.Details() {
					if info, ok := d.(*errdetails.RetryInfo); ok {
						retry = info.GetRetryDelay().AsDuration()
					}
				}
				if retry <= 0 || served != 2 {
					t.Errorf("%s: retry after %s, %d served", who, retry, served)
				}
			}
		})
	}
}

// Who is nobody is counted by his address, and takes nothing from who is known there.
func TestStrangersAreCountedByAddress(t *testing.T) {
	for name := range newFixture(t, nil).conns {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *interceptor.Config) { c.Limits.Rate, c.Limits.Burst = never, 2 })
			client := behalfv1.NewCheckServiceClient(f.conns[name])
			bad := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer nonsense")
			_, err := client.Check(t.Context(), question())
			wantStatus(t, err, codes.Unauthenticated, "CREDENTIALS_MISSING")
			_, err = client.Check(bad, question())
			wantStatus(t, err, codes.Unauthenticated, "CREDENTIALS_INVALID")
			_, err = client.Check(bad, question())
			wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
			if _, err := client.Check(f.asUser(t), question()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Only the gateway in this process can say of a call that it only leads to one.
func TestUncountedCallsAreTheGateways(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Rate, c.Limits.Burst = never, 1 })
	ctx := metadata.AppendToOutgoingContext(f.asUser(t), "x-behalf-uncounted", "1")
	inside := behalfv1.NewCheckServiceClient(f.conns["in process"])
	for range 5 {
		if _, err := inside.Check(ctx, question()); err != nil {
			t.Fatal(err)
		}
	}
	outside := behalfv1.NewCheckServiceClient(f.conns["network"])
	if _, err := outside.Check(ctx, question()); err != nil {
		t.Fatal(err)
	}
	_, err := outside.Check(ctx, question())
	wantStatus(t, err, codes.ResourceExhausted, "RATE_LIMITED")
}

func TestNoCallTakesLongerThanItMay(t *testing.T) {
	f := newFixture(t, func(c *interceptor.Config) { c.Limits.Longest = 5 * time.Second })
	f.each(t, func(t *testing.T, conn grpc.ClientConnInterface) {
		var left time.Duration
		f.checks.check = func(ctx context.Context) (*behalfv1.CheckResponse, error) {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return &behalfv1.CheckResponse{}, nil
		}
		client := behalfv1.NewCheckServiceClient(conn)
		for _, asked := range []time.Duration{0, 20 * time.Minute} {
			ctx := f.asUser(t)
			if asked > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, asked)
				defer cancel()
			}
			if _, err := client.Check(ctx, question()); err != nil || left > 5*time.Second {
				t.Errorf("asked for %s: %s left, %v", asked, left, err)
			}
		}
	})
}
