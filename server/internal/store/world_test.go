package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/authzed/spicedb/pkg/datastore/options"
	core "github.com/authzed/spicedb/pkg/proto/core/v1"
	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/store"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// write carries out updates in one transaction.
func write(t testing.TB, s *store.Store, updates ...tuple.RelationshipUpdate) datastore.Revision {
	t.Helper()
	r, err := s.ReadWriteTx(t.Context(), func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		return w.WriteRelationships(ctx, updates)
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// writeSchema writes a schema as one text with a hash.
func writeSchema(ctx context.Context, s *store.Store, hash string, names ...string) (datastore.Revision, error) {
	return s.ReadWriteTx(ctx, func(ctx context.Context, w datastore.ReadWriteTransaction) error {
		objects := make(map[string]*core.NamespaceDefinition)
		for _, name := range names {
			objects[name] = &core.NamespaceDefinition{Name: name}
		}
		return w.WriteStoredSchema(ctx, &core.StoredSchema{Version: 1, VersionOneof: &core.StoredSchema_V1{
			V1: &core.StoredSchema_V1StoredSchema{SchemaText: hash, SchemaHash: hash, NamespaceDefinitions: objects},
		}})
	})
}

func touch(text string) tuple.RelationshipUpdate  { return tuple.Touch(tuple.MustParse(text)) }
func remove(text string) tuple.RelationshipUpdate { return tuple.Delete(tuple.MustParse(text)) }

// head returns the newest revision.
func head(t testing.TB, s *store.Store) datastore.Revision {
	t.Helper()
	h, err := s.HeadRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h.Revision
}

// tuples returns all relationships of a revision, expired ones included, as texts.
func tuples(t testing.TB, s *store.Store, r datastore.Revision) []string {
	t.Helper()
	all, err := s.SnapshotReader(r).QueryRelationships(t.Context(), datastore.RelationshipsFilter{}, options.WithSkipExpiration(true))
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{}
	for r, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, tuple.MustString(r))
	}
	slices.Sort(texts)
	return texts
}

// event is what a watcher is told of one revision.
type event struct {
	Revision string
	Updates  []string
	Schema   []string
	Metadata []string
}

// watched returns what a watcher that starts after a revision is told up to the head.
func watched(t testing.TB, s *store.Store, after datastore.Revision) []event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	end := head(t, s)
	changes, faults := s.Watch(ctx, after, datastore.WatchOptions{
		Content:                 datastore.WatchRelationships | datastore.WatchSchema | datastore.WatchCheckpoints,
		WatchBufferWriteTimeout: patience,
	})
	var events []event
	for !after.Equal(end) {
		c, ok := <-changes
		if !ok {
			t.Fatalf("the watch ended: %v", <-faults)
		}
		if c.IsCheckpoint {
			after = c.Revision
			continue
		}
		events = append(events, eventOf(c))
	}
	return events
}

func eventOf(c datastore.RevisionChanges) event {
	e := event{Revision: c.Revision.String()}
	for _, u := range c.RelationshipChanges {
		e.Updates = append(e.Updates, u.OperationString()+" "+tuple.MustString(u.Relationship))
	}
	for _, d := range c.ChangedDefinitions {
		e.Schema = append(e.Schema, "changed "+d.GetName())
	}
	for _, d := range c.DeletedNamespaces {
		e.Schema = append(e.Schema, "removed "+d)
	}
	for _, d := range c.DeletedCaveats {
		e.Schema = append(e.Schema, "removed caveat "+d)
	}
	for _, m := range c.Metadatas {
		e.Metadata = append(e.Metadata, m.GetFields()["by"].GetStringValue())
	}
	slices.Sort(e.Updates)
	slices.Sort(e.Schema)
	return e
}

// median returns the middle of times, zero when there are none.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}
