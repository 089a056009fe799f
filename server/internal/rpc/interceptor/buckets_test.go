package interceptor

import (
	"testing"
	"time"
)

func TestBucketFills(t *testing.T) {
	now := time.Unix(0, 0)
	b := newBuckets[int](Limits{Rate: 10, Burst: 2}, func() time.Time { return now })
	take := func(who int, want bool, after time.Duration) {
		t.Helper()
		if wait, ok := b.take(who); ok != want || wait != after {
			t.Errorf("at %s: %v, wait %s; want %v, %s", now.Sub(time.Unix(0, 0)), ok, wait, want, after)
		}
	}
	take(1, true, 0)
	take(1, true, 0)
	take(1, false, 100*time.Millisecond)
	take(2, true, 0) // who has his own
	now = now.Add(50 * time.Millisecond)
	take(1, false, 50*time.Millisecond) // and a refusal costs nothing
	now = now.Add(50 * time.Millisecond)
	take(1, true, 0)
	take(1, false, 100*time.Millisecond)
	now = now.Add(time.Hour)
	take(1, true, 0)
	take(1, true, 0)
	take(1, false, 100*time.Millisecond)
}

// Idle callers are forgotten, and those beyond the bound share one bucket until some are.
func TestBucketsAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	b := newBuckets[int](Limits{Rate: 1, Burst: 1}, func() time.Time { return now })
	for who := range mostBuckets {
		if _, ok := b.take(who); !ok {
			t.Fatalf("caller %d has no token", who)
		}
	}
	if _, ok := b.take(mostBuckets); !ok {
		t.Error("the first beyond the bound has no token")
	}
	if _, ok := b.take(mostBuckets + 1); ok || len(b.of) != mostBuckets {
		t.Errorf("the second beyond the bound: %v; %d buckets", ok, len(b.of))
	}
	end, ok := b.begin(7)
	if !ok {
		t.Fatal("no call may be in hand")
	}
	now = now.Add(2 * time.Second)
	if _, ok := b.take(mostBuckets + 2); !ok || len(b.of) != 2 {
		t.Errorf("after a while: %v; %d buckets, want his own and that of the call in hand", ok, len(b.of))
	}
	end()
	for round := range 100 * fewBuckets { // idle all of them, as each comes long after the other
		now = now.Add(10 * time.Second)
		b.take(mostBuckets + 3 + round)
		if len(b.of) > fewBuckets {
			t.Fatalf("%d buckets of idle callers", len(b.of))
		}
	}
}

func TestShareOfCallsInHand(t *testing.T) {
	b := newBuckets[int](Limits{Rate: 1, Concurrent: 4}, time.Now)
	var ends []func()
	for range 3 {
		end, ok := b.begin(1)
		if !ok {
			t.Fatal("less than his share")
		}
		ends = append(ends, end)
	}
	if _, ok := b.begin(1); ok {
		t.Error("one caller may have all calls in hand")
	}
	if _, ok := b.begin(2); !ok {
		t.Error("the other may have none")
	}
	ends[0]()
	if _, ok := b.begin(1); !ok {
		t.Error("what has ended counts")
	}
	if got := (Limits{Concurrent: 1}).share(); got != 1 {
		t.Errorf("of one call in hand %d may be one caller's", got)
	}
}

func TestAddressesAreNetworks(t *testing.T) {
	for peer, want := range map[string]string{
		"192.0.2.7:5000": "192.0.2.7", "192.0.2.7": "192.0.2.7", "[::ffff:192.0.2.7]:1": "192.0.2.7",
		"[2001:db8:1:2:3::9]:443": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "[fe80::1%eth0]:1": "fe80::/64",
		"": "peer ", "inproc": "peer inproc",
	} {
		if got := network(peer); got != want {
			t.Errorf("%q is %q, want %q", peer, got, want)
		}
	}
}
