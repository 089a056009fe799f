package behalf_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

func represents(user behalf.UserID, party behalf.PartyID) behalf.Question {
	return behalf.Question{Object: party.Object(), Permission: "represent", Subject: user.Subject()}
}

func TestBulkCheck(t *testing.T) {
	c := dial(t)
	var questions []behalf.Question
	for i := range 1500 { // more than one call can ask
		questions = append(questions, represents([]behalf.UserID{kari, ola}[i%2], bakery))
	}
	questions = append(questions, behalf.Question{Object: bakery.Object(), Permission: "fly", Subject: kari.Subject()})
	answers, err := c.BulkCheck(t.Context(), questions...)
	if err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	for i, a := range answers[:1500] {
		if a.Allowed != (i%2 == 0) || a.Err != nil {
			t.Fatalf("question %d: %+v", i, a)
		}
	}
	if last := answers[1500]; last.Allowed || behalf.ReasonOf(last.Err) != behalf.ReasonUnknownRelation {
		t.Errorf("an unknown permission: %+v", last)
	}
	if answers, err := c.BulkCheck(t.Context()); len(answers) != 0 || err != nil {
		t.Errorf("no question: %v, %v", answers, err)
	}
}

// calls counts calls by method, and holds the first ones until it is told to let go.
type calls struct {
	mu     sync.Mutex
	made   map[string]int
	held   atomic.Int32
	hold   int32
	letGo  chan struct{}
	nowRun chan struct{} // closed when all that are held have come
}

func (c *calls) intercept(ctx context.Context, method string, args, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	c.mu.Lock()
	c.made[method]++
	c.mu.Unlock()
	if n := c.held.Add(1); n <= c.hold {
		if n == c.hold {
			close(c.nowRun)
		}
		<-c.letGo
	}
	return invoke(ctx, method, args, reply, conn, options...)
}

// TestChecksTravelTogether makes checks while as many calls run as may, and finds them in few
// calls, each with its own answer, and none spoiled by those that are malformed or given up.
func TestChecksTravelTogether(t *testing.T) {
	counted := &calls{made: map[string]int{}, hold: 4, letGo: make(chan struct{}), nowRun: make(chan struct{})}
	c := dial(t, behalf.WithDialOptions(grpc.WithUnaryInterceptor(counted.intercept)))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if allowed, err := c.Check(t.Context(), represents(kari, bakery)); !allowed || err != nil {
				t.Errorf("held: %v, %v", allowed, err)
			}
		})
	}
	<-counted.nowRun
	gone, leave := context.WithCancel(t.Context())
	leave()
	if allowed, err := c.Check(gone, represents(kari, bakery)); allowed || behalf.CodeOf(err) != codes.Canceled {
		t.Errorf("given up: %v, %v", allowed, err)
	}
	var begun sync.WaitGroup
	for i := range 400 {
		begun.Add(1)
		all.Go(func() {
			begun.Done()
			switch i {
			case 7:
				question := behalf.Question{Object: behalf.Object{Type: "party", ID: "no good id"}, Permission: "represent", Subject: kari.Subject()}
				if allowed, err := c.Check(t.Context(), question); allowed || behalf.ReasonOf(err) != behalf.ReasonInvalidArgument {
					t.Errorf("malformed: %v, %v", allowed, err)
				}
			case 8:
				question := behalf.Question{Object: bakery.Object(), Permission: "fly", Subject: kari.Subject()}
				if allowed, err := c.Check(t.Context(), question); allowed || behalf.ReasonOf(err) != behalf.ReasonUnknownRelation {
					t.Errorf("unknown: %v, %v", allowed, err)
				}
			default:
				user := []behalf.UserID{kari, ola}[i%2]
				if allowed, err := c.Check(t.Context(), represents(user, branch)); err != nil || allowed != (i%2 == 0) {
					t.Errorf("check %d: %v, %v", i, allowed, err)
				}
			}
		})
	}
	begun.Wait()
	close(counted.letGo)
	all.Wait()
	total := 0
	for _, n := range counted.made {
		total += n
	}
	if total > 200 || counted.made["/behalf.v1.CheckService/BulkCheck"] == 0 {
		t.Errorf("404 checks made %v", counted.made)
	}
}

// TestWrongRevisionsAreAskedOnce makes checks at a revision that is none, and finds each refused and
// none of them asked again.
func TestWrongRevisionsAreAskedOnce(t *testing.T) {
	counted := &calls{made: map[string]int{}, hold: 4, letGo: make(chan struct{}), nowRun: make(chan struct{})}
	c := dial(t, behalf.WithDialOptions(grpc.WithUnaryInterceptor(counted.intercept)))
	s := c.Session("nonsense")
	var all, begun sync.WaitGroup
	check := func() {
		if allowed, err := s.Check(t.Context(), represents(kari, bakery)); allowed || behalf.ReasonOf(err) != behalf.ReasonInvalidRevision {
			t.Errorf("%v, %v", allowed, err)
		}
	}
	for range 4 {
		all.Go(check)
	}
	<-counted.nowRun
	for range 400 {
		begun.Add(1)
		all.Go(func() {
			begun.Done()
			check()
		})
	}
	begun.Wait()
	close(counted.letGo)
	all.Wait()
	total := 0
	for _, n := range counted.made {
		total += n
	}
	if total > 200 {
		t.Errorf("404 checks made %v", counted.made)
	}
}

// TestTokensAreNobodysInParticular gives checks contexts with values, of which a token source sees
// none, whether checks travel alone or together.
func TestTokensAreNobodysInParticular(t *testing.T) {
	type key struct{}
	c := dial(t, behalf.WithTokenSource(func(ctx context.Context) (string, error) {
		if ctx.Value(key{}) != nil {
			t.Error("a token source sees what a context carries")
		}
		return running.AdminKey, ctx.Err()
	}))
	if allowed, err := c.Check(context.WithValue(t.Context(), key{}, "kari"), represents(kari, bakery)); !allowed || err != nil {
		t.Errorf("%v, %v", allowed, err)
	}
}

// TestChecksOfOthersStayApart asks as many users at once, each with his own token.
func TestChecksOfOthersStayApart(t *testing.T) {
	c := dial(t)
	var all sync.WaitGroup
	for i := range 64 {
		user, party := int64(kari), int64(50002598)
		if i%2 == 1 {
			user, party = int64(ola), 50002599
		}
		text, err := running.Token(user, party, 3)
		if err != nil {
			t.Fatal(err)
		}
		as := c.As(text)
		for range 8 {
			all.Go(func() {
				question := behalf.Question{Object: behalf.Object{Type: "party", ID: strconv.FormatInt(int64(bakery), 10)}, Permission: "represent"}
				if allowed, err := as.Check(t.Context(), question); err != nil || allowed != (i%2 == 0) {
					t.Errorf("user %d: %v, %v", user, allowed, err)
				}
			})
		}
	}
	all.Wait()
}
