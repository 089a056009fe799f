package watch

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc/codes"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

const (
	firstPause = 50 * time.Millisecond // before a broken watch goes on, twice as long each time in vain
	maxPause   = 10 * time.Second
)

// Query says which changes are followed.
type Query struct {
	// From is the revision after which: the last Batch's, or a session's. Empty follows from now on.
	From string
	// ObjectTypes keeps the changes of relationships of these types of object, such as party. Empty
	// keeps all.
	ObjectTypes []string
}

// Changes yields what changes, in the order of revisions and without a gap, until ctx ends or the
// loop does. The first batch is empty and says from which revision on. While the server is away it
// waits and then goes on where it was. An error that waiting does not mend, and that ctx has
// ended, is the last entry.
func Changes(ctx context.Context, client *behalf.Client, query Query) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // ends the stream when the loop does
		defer cancel()
		f := follower{service: v1.NewWatchServiceClient(client.Conn()), query: query, yield: yield}
		begun := false
		for pause := firstPause; ; pause = min(2*pause, maxPause) {
			from := f.query.From
			err := f.begin(ctx, client)
			if err == nil {
				if !begun && !yield(Batch{Revision: f.query.From}, nil) {
					return
				}
				begun = true
				err = f.follow(ctx)
			}
			if errors.Is(err, errLeft) {
				return
			}
			if !mends(ctx, err) {
				yield(Batch{}, err)
				return
			}
			if f.query.From != from {
				pause = firstPause
			}
			if !wait(ctx, pause) {
				yield(Batch{}, err)
				return
			}
		}
	}
}

// errLeft says that the loop over the changes was left.
var errLeft = errors.New("nobody reads on")

// follower follows changes over one stream after another.
type follower struct {
	service v1.WatchServiceClient
	query   Query // From is that of the last batch
	yield   func(Batch, error) bool
}

// begin finds the revision of now, unless there is one to follow from. A watch that named none would
// begin anew, and not where it was, if it broke before the first change.
func (f *follower) begin(ctx context.Context, client *behalf.Client) error {
	if f.query.From != "" {
		return nil
	}
	now, err := v1.NewSchemaServiceClient(client.Conn()).ReadSchema(ctx, &v1.ReadSchemaRequest{})
	f.query.From = now.GetReadAt().GetToken()
	return err
}

// follow yields changes until the stream breaks. Its error is never nil.
func (f *follower) follow(ctx context.Context) error {
	stream, err := f.service.Watch(ctx, &v1.WatchRequest{
		OptionalObjectTypes: f.query.ObjectTypes,
		OptionalStartCursor: &v1.ZedToken{Token: f.query.From},
		OptionalUpdateKinds: []v1.WatchKind{v1.WatchKind_WATCH_KIND_INCLUDE_RELATIONSHIP_UPDATES, v1.WatchKind_WATCH_KIND_INCLUDE_CHECKPOINTS},
	})
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		batch := Batch{Revision: answer.GetChangesThrough().GetToken()}
		for _, update := range answer.GetUpdates() {
			batch.Changes = append(batch.Changes, changeOf(update))
		}
		f.query.From = batch.Revision
		if !f.yield(batch, nil) {
			return errLeft
		}
	}
}

// mends reports whether a watch that broke may go on later: the server went away, or stops and tells
// its clients so, or a proxy between has ended the stream, which gRPC calls an internal error; one
// of the server's own has a reason.
func mends(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if errors.Is(err, io.EOF) {
		return true
	}
	switch behalf.CodeOf(err) {
	case codes.Unavailable, codes.Canceled, codes.Aborted, codes.ResourceExhausted:
		return true
	case codes.Internal:
		return behalf.ReasonOf(err) == ""
	default:
		return false
	}
}

// wait waits about as long as pause, not in step with all others, and reports whether ctx lasted.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause/2 + rand.N(pause/2)) //nolint:gosec // spreads clients out and hides nothing
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
