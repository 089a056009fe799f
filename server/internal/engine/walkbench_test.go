package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// BenchmarkCheck is a check of Behalf's own schema through the engine: what a door pays
// beside its own call.
func BenchmarkCheck(b *testing.B) {
	e := startFile(b)
	if err := e.EnsureSchema(b.Context(), relations.Schema); err != nil {
		b.Fatal(err)
	}
	var us []relation.Update
	for i := range 1000 {
		us = append(us, updates(relation.Touch, fmt.Sprintf("party:%d#dagl@user:%d", i, i%100))...)
	}
	revision := write(b, e, us)
	yes, no := question("party:7#represent@user:7"), question("party:7#represent@user:8")
	b.Run("represent", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if answers, _, err := e.Check(b.Context(), relation.At{}, yes, no); err != nil || !answers[0].Allowed || answers[1].Allowed {
				b.Fatal(answers, err)
			}
		}
	})
	b.Run("at a revision", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ctx, end := context.WithCancel(b.Context()) // the state stays for as long as the call
			if answers, _, err := e.Check(ctx, relation.At{Exact: revision}, yes, no); err != nil || !answers[0].Allowed || answers[1].Allowed {
				b.Fatal(answers, err)
			}
			end()
		}
	})
	b.Run("resources", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if ids, _, err := e.Resources(b.Context(), relation.At{}, "party", "represent", yes.Subject); err != nil || len(ids) != 10 {
				b.Fatal(ids, err)
			}
		}
	})
}
