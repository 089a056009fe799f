package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// TestBackup backs up a server while others write to it, goes on writing, and restores: the
// restored store holds together, and refuses what the other one has handed out.
func TestBackup(t *testing.T) {
	if *datastoreFlag != server.DatastoreSQLite {
		t.Skip("a Postgres database has tools of its own")
	}
	i := start(t)
	loadDemo(t, i)
	dir := t.TempDir()
	backup := filepath.Join(dir, "monday.db")
	if mode := backUpUnderLoad(t, i, backup); mode.Perm() != 0o600 {
		t.Errorf("the backup has mode %v", mode)
	}
	if code, _, said := behalf(t, i.reach([]string{"backup", backup})...); code != 1 || !strings.Contains(said, "exists") {
		t.Errorf("over a backup: exit code %d, %s", code, said)
	}
	if left, err := filepath.Glob(filepath.Join(i.dataDir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left in the data directory: %v, %v", left, err)
	}
	late, err := behalfv1.NewRegisterServiceClient(i.conn).PutParty(as(t.Context(), i.admin), newcomer(200_000_000))
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := v1.NewSchemaServiceClient(i.conn).ReadSchema(as(t.Context(), i.admin), &v1.ReadSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	i.stop()

	before := readFile(t, backup)
	if said := run(t, "verify", backup); !strings.Contains(said, "holds together") {
		t.Errorf("verify says %q", said)
	}
	restored := filepath.Join(dir, "data")
	run(t, "restore", backup, "--data-dir", restored)
	if string(readFile(t, backup)) != string(before) {
		t.Error("restoring changed the backup")
	}
	run(t, "verify", "--data-dir", restored)
	if code, _, said := behalf(t, "restore", backup, "--data-dir", restored); code != 1 || !strings.Contains(said, "is not empty: it has behalf.") {
		t.Errorf("over a data directory: exit code %d, %s", code, said)
	}
	refusesOld(t, startIn(t, restored, nil), late.GetRevision(), cursor.GetReadAt())
}

// newcomer puts an organisation of a type that has a relationship of its own.
func newcomer(number int) *behalfv1.PutPartyRequest {
	return &behalfv1.PutPartyRequest{Source: "load", Party: &behalfv1.PartyRecord{
		Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "NEWCOMER", OrgNumber: fmt.Sprint(number), UnitType: "ESEK",
	}}
}

// backUpUnderLoad backs up while four writers write, and returns the mode of the backup.
func backUpUnderLoad(t *testing.T, i *instance, name string) fs.FileMode {
	t.Helper()
	var (
		writers sync.WaitGroup
		wrote   atomic.Int64
		enough  = make(chan struct{})
	)
	for w := range 4 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-enough:
					return
				default:
				}
				if _, err := behalfv1.NewRegisterServiceClient(i.conn).PutParty(as(t.Context(), i.admin), newcomer(100_000_000*(w+3)+n)); err != nil {
					t.Errorf("write beside the backup: %v", err)
					return
				}
				wrote.Add(1)
			}
		})
	}
	i.run(t, "backup", name)
	close(enough)
	writers.Wait()
	if wrote.Load() == 0 {
		t.Error("nothing was written beside the backup")
	}
	at, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return at.Mode()
}

// refusesOld asks a restored server by a revision and a cursor of the store that was backed up.
func refusesOld(t *testing.T, i *instance, revision string, cursor *v1.ZedToken) {
	t.Helper()
	ctx := as(t.Context(), i.admin)
	parties := behalfv1.NewPartyServiceClient(i.conn)
	if _, err := parties.ListRepresentatives(ctx, &behalfv1.ListRepresentativesRequest{PartyId: 50010001}); err != nil {
		t.Errorf("without a revision: %v", err)
	}
	_, err := parties.ListRepresentatives(ctx, &behalfv1.ListRepresentativesRequest{
		PartyId: 50010001, AtLeastAsFresh: revision,
	})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(fmt.Sprint(status.Convert(err).Details()), "INVALID_REVISION") {
		t.Errorf("a revision of the other store: %v", err)
	}
	watch, err := v1.NewWatchServiceClient(i.conn).Watch(ctx, &v1.WatchRequest{OptionalStartCursor: cursor})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a cursor of the other store: %v", err)
	}
}
