package rounds_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/rounds"
)

// Who comes while a question is under way shares the next one with all others who do.
func TestRoundsAreShared(t *testing.T) {
	asked := 0 // by who has the turn
	begun, end := make(chan struct{}), make(chan struct{})
	r := rounds.New(func(context.Context) (int, error) {
		asked++
		begun <- struct{}{}
		<-end
		return asked, nil
	})
	gone, cancel := context.WithCancel(t.Context())
	first := r.Join(gone)
	cancel() // it takes place for the others
	<-begun
	second, third := r.Join(t.Context()), r.Join(t.Context())
	if second == first || third != second {
		t.Error("who comes when a question has begun does not share the next one")
	}
	for i, q := range []*rounds.Round[int]{first, second} {
		end <- struct{}{}
		<-q.Done()
		if n, err := q.Answer(); n != i+1 || err != nil {
			t.Errorf("round %d was answered %d, %v", i+1, n, err)
		}
		if i == 0 {
			<-begun
		}
	}
}

// Each sees what was there before he came.
func TestRoundsAreFresh(t *testing.T) {
	var written atomic.Int64
	r := rounds.New(func(context.Context) (int64, error) { return written.Load(), nil })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				mine := written.Add(1)
				q := r.Join(t.Context())
				<-q.Done()
				if saw, err := q.Answer(); saw < mine || err != nil {
					t.Errorf("after write %d only %d were seen, %v", mine, saw, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// Nobody asks while somebody has taken the turn.
func TestTurn(t *testing.T) {
	failed := errors.New("no answer")
	var taken atomic.Bool
	r := rounds.New(func(context.Context) (struct{}, error) {
		if taken.Load() {
			t.Error("a question was asked while the turn was taken")
		}
		return struct{}{}, failed
	})
	if err := r.Take(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken.Store(true)
	q := r.Join(t.Context())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Take(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("a turn that is taken: %v", err)
	}
	taken.Store(false)
	r.Return()
	<-q.Done()
	if _, err := q.Answer(); !errors.Is(err, failed) {
		t.Errorf("the fault of a question: %v", err)
	}
}
