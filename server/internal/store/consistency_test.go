package store_test

import (
	"flag"
	"testing"

	consistency "github.com/authzed/spicedb/pkg/consistency/test"
	"github.com/authzed/spicedb/pkg/datastore/test"
)

// whole says that SpiceDB's consistency suite is run, which takes minutes:
// go test -run Consistency -timeout 1h ./server/internal/store -consistency
var whole = flag.Bool("consistency", false, "run SpiceDB's consistency suite")

// TestConsistency asks every API of SpiceDB every question of its corpus, over this store.
func TestConsistency(t *testing.T) {
	if !*whole {
		t.Skip("asked for with -consistency")
	}
	consistency.AllConsistency(t, test.DatastoreTesterFunc(tester))
}
