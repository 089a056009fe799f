package behalf

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// maxRunning is how many calls of a batcher run at once. While they do, questions gather; so
// a lone question never waits, and under load calls grow instead of becoming more.
const maxRunning = 4

// batcher puts checks that are made at the same time into one call. All have the same
// credentials.
type batcher struct {
	service behalfv1.CheckServiceClient
	timeout time.Duration

	mu      sync.Mutex
	running int
	waiting []*asked
}

// asked is a question that waits for its answer.
type asked struct {
	question *behalfv1.CheckQuestion
	fresh    string
	deadline time.Time     // zero for none
	done     chan struct{} // closed once answer and err are set
	answer   checked
	err      error

	gone  bool // whoever asked has left; under the batcher's mu
	batch *batch
}

type checked struct {
	allowed  bool
	revision string
}

// batch is questions in one call, which is ended when nobody waits for it any more.
type batch struct {
	questions []*asked
	present   int // under the batcher's mu
	cancel    context.CancelFunc
}

func newBatcher(service behalfv1.CheckServiceClient, timeout time.Duration) *batcher {
	return &batcher{service: service, timeout: timeout}
}

// check asks one question at least as fresh as a revision.
func (b *batcher) check(ctx context.Context, fresh string, question *behalfv1.CheckQuestion) (checked, error) {
	if outgoing, ok := metadata.FromOutgoingContext(ctx); ok && len(outgoing) > 0 {
		return b.alone(ctx, fresh, question) // what this call says of itself is not for others
	}
	ctx, cancel := bounded(ctx, b.timeout)
	defer cancel()
	b.mu.Lock()
	if b.running < maxRunning {
		b.running++
		b.mu.Unlock()
		defer b.next()
		return b.alone(ctx, fresh, question)
	}
	a := &asked{question: question, fresh: fresh, done: make(chan struct{})}
	a.deadline, _ = ctx.Deadline()
	b.waiting = append(b.waiting, a)
	b.mu.Unlock()
	select {
	case <-a.done:
		return a.answer, a.err
	case <-ctx.Done():
		b.leave(a)
		return checked{}, typedContext(ctx)
	}
}

func (b *batcher) alone(ctx context.Context, fresh string, question *behalfv1.CheckQuestion) (checked, error) {
	got, err := b.service.Check(ctx, &behalfv1.CheckRequest{Question: question, AtLeastAsFresh: fresh})
	if err != nil {
		return checked{}, err
	}
	return checked{got.GetAllowed(), got.GetRevision()}, nil
}

// leave says that nobody waits for a any more.
func (b *batcher) leave(a *asked) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a.gone = true
	if a.batch == nil {
		return
	}
	if a.batch.present--; a.batch.present == 0 {
		a.batch.cancel()
	}
}

// next takes the place of a call that has ended: it begins one with what waits.
func (b *batcher) next() {
	b.mu.Lock()
	defer b.mu.Unlock()
	together := b.gather()
	if len(together) == 0 {
		b.running--
		return
	}
	ctx, cancel := until(together)
	some := &batch{questions: together, present: len(together), cancel: cancel}
	for _, a := range together {
		a.batch = some
	}
	go func() {
		defer b.next()
		defer cancel()
		b.ask(ctx, together)
	}()
}

// gather takes from what waits the questions that can go into one call: those with the freshness
// of the first.
func (b *batcher) gather() (together []*asked) {
	var rest []*asked
	for _, a := range b.waiting {
		switch {
		case a.gone:
		case len(together) < maxQuestions && (len(together) == 0 || a.fresh == together[0].fresh):
			together = append(together, a)
		default:
			rest = append(rest, a)
		}
	}
	b.waiting = rest
	return together
}

// until returns a context that lasts as long as the last of those who wait.
func until(together []*asked) (context.Context, context.CancelFunc) {
	var last time.Time
	for _, a := range together {
		if a.deadline.IsZero() {
			return context.WithCancel(context.Background())
		}
		if a.deadline.After(last) {
			last = a.deadline
		}
	}
	return context.WithDeadline(context.Background(), last)
}

// ask answers the questions. One that is malformed fails the whole call, so a call that failed
// for this is made again in halves: nobody pays for the fault of another. The revision is that of
// all; a wrong one is everybody's fault.
func (b *batcher) ask(ctx context.Context, together []*asked) {
	if len(together) == 1 {
		a := together[0]
		a.answer, a.err = b.alone(ctx, a.fresh, a.question)
		close(a.done)
		return
	}
	questions := make([]*behalfv1.CheckQuestion, len(together))
	for i, a := range together {
		questions[i] = a.question
	}
	got, err := askAll(ctx, b.service, together[0].fresh, questions)
	if CodeOf(err) == codes.InvalidArgument && ReasonOf(err) != ReasonInvalidRevision {
		b.ask(ctx, together[:len(together)/2])
		b.ask(ctx, together[len(together)/2:])
		return
	}
	for i, a := range together {
		a.err = err
		if err == nil {
			answer := answerOf(got.GetAnswers()[i])
			a.answer, a.err = checked{answer.Allowed, got.GetRevision()}, answer.Err
		}
		close(a.done)
	}
}
