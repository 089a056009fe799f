package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/test"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// open opens the store in a directory and closes it when the test ends.
func open(t testing.TB, dir string, change ...func(*store.Config)) *store.Store {
	t.Helper()
	c := store.Config{Path: filepath.Join(dir, "behalf.db")}
	for _, f := range change {
		f(&c)
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// tester opens stores for SpiceDB's suites.
func tester(t testing.TB, _, sweep, window time.Duration, buffer uint16) (datastore.Datastore, error) {
	return open(t, t.TempDir(), func(c *store.Config) {
		c.History, c.Memory, c.Sweep, c.WatchBuffer = window, window, sweep, int(buffer)
	}), nil
}

// TestDatastore is SpiceDB's own suite. Left out is the category ConcurrentWrite, whose four
// tests need two transactions to be open at the same time, each waiting for the other:
//   - ConcurrentWriteSerialization, ConcurrentWriteDeadlock: a store that runs one transaction
//     after another has neither conflicts nor deadlocks to resolve;
//   - StoredSchemaConcurrentSchemaWins, StoredSchemaWriteSucceedsUnderRelWriteTraffic: they
//     hold a relationship transaction open until a schema transaction has begun.
func TestDatastore(t *testing.T) {
	factory := test.NewTesterFactory(store.ErrRetry)
	test.AllWithExceptions(t, factory.NewTester(test.DatastoreTesterFunc(tester)), test.WithCategories(test.ConcurrentWriteCategory))
}
