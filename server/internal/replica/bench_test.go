package replica_test

import (
	"fmt"
	"testing"

	"github.com/authzed/spicedb/pkg/tuple"

	"github.com/behalf-authz/behalf/server/internal/replica"
)

// BenchmarkFresh proves the replica fresh: alone, by readers who share the question, and at
// once after a write. Beside it stands the question that SpiceDB asks for its head.
func BenchmarkFresh(b *testing.B) {
	d := newDatabase(b)
	r := d.replicate(b, replica.Config{})
	fresh := func(b *testing.B) {
		if _, err := r.Fresh(b.Context(), true); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("alone", func(b *testing.B) {
		for b.Loop() {
			fresh(b)
		}
	})
	b.Run("shared", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if _, err := r.Fresh(b.Context(), true); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("after a write", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			d.write(b, tuple.UpdateOperationTouch, fmt.Sprintf("party:%d#dagl@user:1", i))
			b.StartTimer()
			fresh(b)
		}
	})
	b.Run("SpiceDB", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.HeadRevision(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
