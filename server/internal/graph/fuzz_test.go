package graph_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// FuzzOperations reads a sequence of operations from bytes and runs it beside a model. Each
// takes two bytes: what to do, and with which tuple.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("\x00\x01\x01\x01\x02\x01\x06\x00\x07\x00"))
	f.Add([]byte{0, 1, 0, 2, 6, 0, 5, 1, 0, 3, 4, 0, 0, 4, 6, 0, 8, 0, 7, 0})
	f.Add([]byte{1, 200, 1, 201, 6, 0, 9, 0, 1, 202, 6, 0, 3, 200, 3, 201, 6, 0, 7, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 600 {
			return
		}
		g := newGraph(t, graph.Config{Recent: 8})
		type step struct {
			rev uint64
			m   model
		}
		done, pending := []step{{0, model{}}}, []step(nil)
		newest := func() step {
			if len(pending) > 0 {
				return pending[len(pending)-1]
			}
			return done[len(done)-1]
		}
		var tx *graph.Tx
		m := model{}
		begin := func() {
			if tx == nil {
				tx, m = g.Begin(), maps.Clone(newest().m)
			}
		}
		end := func(drop bool) {
			if tx == nil {
				return
			}
			if drop {
				tx.Drop()
			} else {
				rev := newest().rev + 1
				if _, err := tx.Seal(rev, epoch); err != nil {
					t.Fatal(err)
				}
				pending = append(pending, step{rev, m})
			}
			tx = nil
		}
		for i := 0; i+1 < len(ops); i += 2 {
			tu := fuzzTuple(ops[i+1], ops[i]/16)
			switch ops[i] % 10 {
			case 0, 1:
				begin()
				have, exists := m[tu.String()]
				if changed, err := tx.Touch(tu); err != nil || changed == (exists && have == tu) {
					t.Fatalf("Touch(%+v) = %v, %v; it was %+v", tu, changed, err, have)
				}
				m[tu.String()] = tu
			case 2:
				begin()
				_, exists := m[tu.String()]
				if err := tx.Create(tu); (err != nil) != exists {
					t.Fatalf("Create(%s) = %v; it existed: %v", tu, err, exists)
				}
				if !exists {
					m[tu.String()] = tu
				}
			case 3:
				begin()
				_, exists := m[tu.String()]
				if deleted, err := tx.Delete(tu); err != nil || deleted != exists {
					t.Fatalf("Delete(%s) = %v, %v; it existed: %v", tu, deleted, err, exists)
				}
				delete(m, tu.String())
			case 4:
				end(true)
			case 5:
				begin()
				compareState(t, tx.View(), m)
			case 6:
				end(false)
			case 7, 8:
				end(false)
				if n := len(pending); n > 0 {
					n = 1 + int(ops[i+1])%n
					if err := g.Publish(pending[n-1].rev); err != nil {
						t.Fatal(err)
					}
					done, pending = append(done, pending[:n]...), pending[n:]
				}
			case 9:
				end(true)
				g.Drop()
				pending = nil
			}
		}
		end(true)
		for _, s := range done {
			at, err := g.At(s.rev)
			if err != nil {
				t.Fatal(err)
			}
			compareState(t, at, s.m)
		}
	})
}

// fuzzTuple draws from 256 tuples: 100 of one resource, 100 of one subject, and others.
func fuzzTuple(which, payload byte) graph.Tuple {
	t := graph.Tuple{Relationship: relation.Relationship{
		Resource: relation.Object{Type: "doc", ID: "hub"}, Relation: "viewer",
		Subject: relation.Subject{Object: relation.Object{Type: "user", ID: fmt.Sprint(which)}},
	}}
	switch {
	case which >= 200:
		t.Resource = relation.Object{Type: "group", ID: fmt.Sprint(which % 7)}
		t.Subject = relation.Subject{Object: relation.Object{Type: "group", ID: fmt.Sprint(which % 5)}, Relation: "member"}
	case which >= 100:
		t.Resource.ID = fmt.Sprint(which)
		t.Subject.ID = "hub"
	}
	switch payload % 8 {
	case 1:
		t.Expires = epoch.Add(time.Duration(payload) * time.Hour)
	case 2:
		t.Caveat = "ip"
	case 3:
		t.Note = "n"
	}
	return t
}
