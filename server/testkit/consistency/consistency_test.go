package consistency_test

import (
	"path/filepath"
	"testing"
	"time"

	consistency "github.com/authzed/spicedb/pkg/consistency/test"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/test"

	"github.com/behalf-authz/behalf/server/internal/store"
)

func TestConsistency(t *testing.T) {
	consistency.AllConsistency(t, test.DatastoreTesterFunc(
		func(t testing.TB, _, sweep, window time.Duration, buffer uint16) (datastore.Datastore, error) {
			s, err := store.Open(t.Context(), store.Config{
				Path: filepath.Join(t.TempDir(), "behalf.db"), History: window, Memory: window, Sweep: sweep, WatchBuffer: int(buffer),
			})
			if err == nil {
				t.Cleanup(func() { _ = s.Close() }) // the suite may have closed it already
			}
			return s, err
		}))
}
