package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

var writeReadFlag = flag.Duration("writeread", 0,
	"how long TestWritesWhileReading measures each time, with writes and without; 30s is the whole measure, which needs a quiet machine and many -cost-parties. Without it a short run shows that nobody reads from before his own writes")

// readAndWrite is what is asked and written at a time.
type readAndWrite struct {
	readers, checks int // each checks so many times
	rate            int // a second
	ownEvery        int // and writes after so many checks
	writers, writes int // who write so many times a second together
	ratios          bool
}

func readAndWriteOf(asked time.Duration) readAndWrite {
	l := readAndWrite{readers: 16, checks: 120, rate: 60, ownEvery: 20, writers: 16, writes: 500}
	if asked > 0 {
		l.checks, l.ratios = int(float64(l.rate)*asked.Seconds()), true
	}
	return l
}

// TestWritesWhileReading has readers check while others write. Each of them writes himself now and
// then, over the connection that he reads by, and must never be answered from before that.
func TestWritesWhileReading(t *testing.T) {
	if os.Getenv(measured) != "" {
		serveUntilTold(t, os.Getenv(measured), func(url, grpc string) { fmt.Println("serving", url, grpc) })
		return
	}
	l := readAndWriteOf(*writeReadFlag)
	var i *instance
	known := whoRepresents(bakery, bakerUser)
	if l.ratios {
		if *datastoreFlag != server.DatastoreSQLite {
			t.Skip("times are measured on the embedded store")
		}
		data, user, party := costWorld(t)
		i, known = startApart(t, data), whoRepresents(party, user)
		leaveGarbage(t)
	} else {
		i = start(t)
		loadDemo(t, i)
	}
	readers := make([]*reader, l.readers)
	for n := range readers {
		readers[n] = newReader(t, i, 1_900_000_000+int64(n), known)
	}
	ctx := as(t.Context(), i.admin)
	before := readAll(ctx, readers, l, false)
	stop := startWriters(t, ctx, i, l)
	during := readAll(ctx, readers, l, true)
	written, rate := stop()
	after := readAll(ctx, readers, l, false)
	own := 0
	for _, r := range readers {
		own += r.writes
	}
	t.Logf("%d readers, %d checks each: p99 without writes %s and %s, with %.0f writes a second %s (median %s, %s and %s); %d writes, and %d by the readers",
		l.readers, l.checks, before.quantile(99), after.quantile(99), rate, during.quantile(99),
		before.quantile(50), after.quantile(50), during.quantile(50), written, own)
	for _, s := range []samples{before, during, after} {
		if how := s.failed(); how != "" {
			t.Error(how)
		}
	}
	if want := l.readers * (l.checks / l.ownEvery); own != want {
		t.Errorf("the readers wrote %d times, want %d", own, want)
	}
	if written == 0 {
		t.Error("nobody else wrote")
	}
	if !l.ratios {
		return
	}
	if quiet := max(before.quantile(99), after.quantile(99)); during.quantile(99) > 3*quiet {
		t.Errorf("with writes the p99 of checks is %s, more than three times the %s without", during.quantile(99), quiet)
	}
	if rate < 0.95*float64(l.writes) {
		t.Errorf("%.0f writes a second, want %d", rate, l.writes)
	}
}

// startApart runs a server in a process of its own.
func startApart(t *testing.T, data string) *instance {
	t.Helper()
	admin, err := server.ReadAdminKey(data)
	if err != nil {
		t.Fatal(err)
	}
	return &instance{dataDir: data, address: startMeasured(t, "serve", data).other[0], admin: admin}
}

func whoRepresents(party, user int64) *behalfv1.CheckQuestion {
	return &behalfv1.CheckQuestion{
		Object:     &behalfv1.ObjectReference{Type: "party", Id: strconv.FormatInt(party, 10)},
		Permission: "represent",
		Subject:    &behalfv1.SubjectReference{Type: "user", Id: strconv.FormatInt(user, 10)},
	}
}

// dial returns a connection of its own.
func dial(t *testing.T, i *instance) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(i.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// succeed has a user be the chair of a party, and the one before him no longer.
func succeed(ctx context.Context, client v1.PermissionsServiceClient, party, user int64) error {
	update := func(op v1.RelationshipUpdate_Operation, user int64) *v1.RelationshipUpdate {
		return &v1.RelationshipUpdate{Operation: op, Relationship: &v1.Relationship{
			Resource: &v1.ObjectReference{ObjectType: "party", ObjectId: strconv.FormatInt(party, 10)}, Relation: "lede",
			Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: strconv.FormatInt(user, 10)}},
		}}
	}
	_, err := client.WriteRelationships(ctx, &v1.WriteRelationshipsRequest{Updates: []*v1.RelationshipUpdate{
		update(v1.RelationshipUpdate_OPERATION_TOUCH, user), update(v1.RelationshipUpdate_OPERATION_DELETE, user-1),
	}})
	return err
}

// reader checks, and writes about a party of his own. What he was last told is written he must see.
type reader struct {
	checks behalfv1.CheckServiceClient
	write  v1.PermissionsServiceClient
	party  int64
	chair  int64 // who is, as of his last write
	known  *behalfv1.CheckQuestion
	writes int
}

func newReader(t *testing.T, i *instance, party int64, known *behalfv1.CheckQuestion) *reader {
	t.Helper()
	conn := dial(t, i)
	r := &reader{
		checks: behalfv1.NewCheckServiceClient(conn), write: v1.NewPermissionsServiceClient(conn),
		party: party, chair: 1_800_000_000, known: known,
	}
	if err := succeed(as(t.Context(), i.admin), r.write, party, r.chair); err != nil {
		t.Fatal(err)
	}
	return r
}

// readAll has all readers check, each at his rate.
func readAll(ctx context.Context, readers []*reader, l readAndWrite, writing bool) samples {
	all := make([]samples, len(readers))
	var group sync.WaitGroup
	for n, r := range readers {
		group.Go(func() { all[n] = r.read(ctx, l, writing, rand.New(rand.NewPCG(uint64(n), 1))) })
	}
	group.Wait()
	var together samples
	for _, s := range all {
		together = append(together, s...)
	}
	return together
}

// read checks at a rate. Each check takes since it was due; while he writes none is.
func (r *reader) read(ctx context.Context, l readAndWrite, writing bool, random *rand.Rand) samples {
	all := make(samples, 0, l.checks)
	begun := time.Now().Add(time.Duration(random.Int64N(int64(time.Second) / int64(l.rate))))
	for n := range l.checks {
		due := begun.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait) // the subject: checks come at their rate
		}
		err := r.check(ctx, random.IntN(3))
		made := sample{took: time.Since(due)}
		if err != nil {
			made.failed = err.Error()
		}
		all = append(all, made)
		if writing && n%l.ownEvery == l.ownEvery-1 {
			from := time.Now()
			if err := r.turn(ctx); err != nil {
				all = append(all, sample{failed: err.Error()})
			}
			begun = begun.Add(time.Since(from))
		}
	}
	return all
}

// check asks one question whose answer is known: of the chair, of the one before, or of others.
func (r *reader) check(ctx context.Context, which int) error {
	q, want := r.known, true
	switch which {
	case 0:
		q = whoRepresents(r.party, r.chair)
	case 1:
		q, want = whoRepresents(r.party, r.chair-1), false
	}
	answer, err := r.checks.Check(ctx, &behalfv1.CheckRequest{Question: q})
	if err == nil && answer.GetAllowed() != want {
		err = fmt.Errorf("after write %d of his own a reader is told %t of %v", r.writes, answer.GetAllowed(), q)
	}
	return err
}

// turn writes, and checks at once: the answer is of after the write, and so is the revision that it
// names.
func (r *reader) turn(ctx context.Context) error {
	if err := succeed(ctx, r.write, r.party, r.chair+1); err != nil {
		return err
	}
	r.chair++
	r.writes++
	answer, err := r.checks.Check(ctx, &behalfv1.CheckRequest{Question: whoRepresents(r.party, r.chair)})
	if err != nil {
		return err
	}
	then, err := r.checks.Check(ctx, &behalfv1.CheckRequest{Question: whoRepresents(r.party, r.chair), AtRevision: answer.GetRevision()})
	if err != nil {
		return err
	}
	if !answer.GetAllowed() || !then.GetAllowed() {
		return fmt.Errorf("right after write %d of his own a reader is told %t, and at the revision of that answer %t", r.writes, answer.GetAllowed(), then.GetAllowed())
	}
	return nil
}

// startWriters has others write at their rate until stop, which says how much they wrote.
func startWriters(t *testing.T, ctx context.Context, i *instance, l readAndWrite) (stop func() (written int64, rate float64)) {
	t.Helper()
	writing, end := context.WithCancel(ctx)
	var (
		group sync.WaitGroup
		done  atomic.Int64
	)
	begun := time.Now()
	for n := range l.writers {
		client := v1.NewPermissionsServiceClient(dial(t, i))
		group.Go(func() {
			for m := 0; ; m++ {
				due := begun.Add(time.Duration(m*l.writers+n) * time.Second / time.Duration(l.writes))
				select {
				case <-writing.Done():
					return
				case <-time.After(time.Until(due)):
				}
				if err := succeed(ctx, client, 1_950_000_000+int64(n), 1_800_000_001+int64(m)); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	return func() (int64, float64) {
		end()
		group.Wait()
		return done.Load(), float64(done.Load()) / time.Since(begun).Seconds()
	}
}
