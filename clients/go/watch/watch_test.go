package watch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
	"github.com/behalf-authz/behalf/clients/go/watch"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// running is the server that all tests watch.
var running *testserver.Server

func TestMain(m *testing.M) {
	os.Exit(func() int {
		s, err := testserver.Start(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, "start a server:", err)
			return 1
		}
		running = s
		code := m.Run()
		if err := s.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			return 1
		}
		return code
	}())
}

func dial(t testing.TB, options ...behalf.Option) *behalf.Client {
	t.Helper()
	c, err := behalf.Dial(running.Address, append([]behalf.Option{behalf.WithToken(running.AdminKey)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// assign makes ola the chair of the bakery's board, or no longer.
func assign(t *testing.T, c *behalf.Client, is bool) {
	t.Helper()
	register := behalfv1.NewRegisterServiceClient(c.Conn())
	a := &behalfv1.AssignmentRecord{
		From: fmt.Sprintf("party:%d", testserver.Bakery), Role: "LEDE", To: fmt.Sprintf("party:%d", testserver.OlaParty),
	}
	var err error
	if is {
		_, err = register.PutAssignment(t.Context(), &behalfv1.PutAssignmentRequest{Source: "test", Assignment: a})
	} else {
		_, err = register.DeleteAssignment(t.Context(), &behalfv1.DeleteAssignmentRequest{Source: "test", Assignment: a})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// lede is the change that assign makes.
func lede(gone bool) []watch.Change {
	return []watch.Change{{
		Gone: gone, Object: behalf.PartyID(testserver.Bakery).Object(), Relation: "lede", Subject: behalf.UserID(testserver.OlaUser).Subject(),
	}}
}

// next returns the next batch with changes.
func next(t *testing.T, pull func() (watch.Batch, error, bool)) watch.Batch {
	t.Helper()
	for {
		batch, err, ok := pull()
		if err != nil || !ok {
			t.Fatalf("the watch ended: %v", err)
		}
		if batch.Revision == "" {
			t.Fatal("a batch without a revision")
		}
		if len(batch.Changes) > 0 {
			return batch
		}
	}
}

func TestChanges(t *testing.T) {
	c := dial(t)
	pull, stop := iter.Pull2(watch.Changes(t.Context(), c, watch.Query{ObjectTypes: []string{"party"}}))
	defer stop()
	start, err, _ := pull()
	if err != nil || start.Revision == "" || start.Changes != nil {
		t.Fatalf("begun with %+v, %v", start, err)
	}
	assign(t, c, true)
	came := next(t, pull)
	if diff := cmp.Diff(lede(false), came.Changes); diff != "" {
		t.Error(diff)
	}
	if allowed, err := c.Session(came.Revision).MayRepresent(t.Context(), testserver.OlaUser, testserver.Bakery); !allowed || err != nil {
		t.Errorf("at the change's revision: %v, %v", allowed, err)
	}
	assign(t, c, false)
	if diff := cmp.Diff(lede(true), next(t, pull).Changes); diff != "" {
		t.Error(diff)
	}
	// Again from where the first change was seen: the second alone.
	again, stopAgain := iter.Pull2(watch.Changes(t.Context(), c, watch.Query{From: came.Revision}))
	defer stopAgain()
	if diff := cmp.Diff(lede(true), next(t, again).Changes); diff != "" {
		t.Error(diff)
	}
	// And from the beginning: both.
	both, stopBoth := iter.Pull2(watch.Changes(t.Context(), c, watch.Query{From: start.Revision}))
	defer stopBoth()
	if diff := cmp.Diff([][]watch.Change{lede(false), lede(true)}, [][]watch.Change{next(t, both).Changes, next(t, both).Changes}); diff != "" {
		t.Error(diff)
	}
}

// breakable dials connections that it can break, and refuses while it is told to.
type breakable struct {
	mu      sync.Mutex
	refuses bool
	refused chan struct{} // nil, or gets the first refusal
	conns   []net.Conn
}

func (b *breakable) dial(ctx context.Context, address string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuses {
		select {
		case b.refused <- struct{}{}:
		default:
		}
		return nil, errors.New("refused")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err == nil {
		b.conns = append(b.conns, conn)
	}
	return conn, err
}

func (b *breakable) set(refuses bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuses = refuses
	for _, conn := range b.conns {
		_ = conn.Close()
	}
	b.conns = nil
}

// TestNothingIsMissed breaks the connection again and again, and makes changes while there is none.
func TestNothingIsMissed(t *testing.T) {
	var between breakable
	writer := dial(t)
	watcher := dial(t, behalf.WithDialOptions(grpc.WithContextDialer(between.dial)))
	pull, stop := iter.Pull2(watch.Changes(t.Context(), watcher, watch.Query{}))
	defer stop()
	if _, err, _ := pull(); err != nil {
		t.Fatal(err)
	}
	for i := range 4 { // the first time before any change
		between.set(true)
		assign(t, writer, i%2 == 0)
		between.set(false)
		if diff := cmp.Diff(lede(i%2 == 1), next(t, pull).Changes); diff != "" {
			t.Fatalf("change %d: %s", i, diff)
		}
	}
}

// TestBeginsOnceThereIsAServer begins a watch while there is none.
func TestBeginsOnceThereIsAServer(t *testing.T) {
	between := breakable{refuses: true, refused: make(chan struct{}, 1)}
	watcher := dial(t, behalf.WithDialOptions(grpc.WithContextDialer(between.dial)))
	go func() {
		<-between.refused
		between.set(false)
	}()
	pull, stop := iter.Pull2(watch.Changes(t.Context(), watcher, watch.Query{}))
	defer stop()
	if start, err, _ := pull(); err != nil || start.Revision == "" {
		t.Fatalf("begun with %+v, %v", start, err)
	}
}

// TestGoesOnAfterAProxy has a proxy end the first stream, as one does that hears nothing for long.
func TestGoesOnAfterAProxy(t *testing.T) {
	streams := 0
	proxy := func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, stream grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		if streams++; streams == 1 {
			return nil, status.Error(codes.Internal, "stream terminated by RST_STREAM with error code: INTERNAL_ERROR")
		}
		return stream(ctx, desc, conn, method, options...)
	}
	c := dial(t, behalf.WithDialOptions(grpc.WithStreamInterceptor(proxy)))
	pull, stop := iter.Pull2(watch.Changes(t.Context(), c, watch.Query{}))
	defer stop()
	if _, err, _ := pull(); err != nil {
		t.Fatal(err)
	}
	writer := dial(t)
	assign(t, writer, true)
	assign(t, writer, false)
	next(t, pull)
	if streams < 2 {
		t.Errorf("%d streams", streams)
	}
}

func TestEnds(t *testing.T) {
	c := dial(t)
	one := func(ctx context.Context, c *behalf.Client, query watch.Query) error {
		for _, err := range watch.Changes(ctx, c, query) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := one(t.Context(), c, watch.Query{From: "nonsense"}); behalf.CodeOf(err) != codes.InvalidArgument {
		t.Errorf("a revision that is none: %v", err)
	}
	if err := one(t.Context(), c.As("nonsense"), watch.Query{}); behalf.ReasonOf(err) != behalf.ReasonCredentialsInvalid {
		t.Errorf("a token that is none: %v", err)
	}
	text, err := running.Token(testserver.KariUser, testserver.KariParty, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := one(t.Context(), c.As(text), watch.Query{}); behalf.CodeOf(err) != codes.PermissionDenied {
		t.Errorf("an end user: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	for _, err := range watch.Changes(ctx, c, watch.Query{}) {
		if err != nil {
			if behalf.CodeOf(err) != codes.Canceled {
				t.Errorf("given up: %v", err)
			}
			break
		}
		cancel()
	}
	cancel()
	for _, err := range watch.Changes(t.Context(), c, watch.Query{}) {
		if err != nil {
			t.Error(err)
		}
		break // and the stream with it
	}
}
