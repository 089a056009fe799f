package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/schema/relations"
	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// The whole of Behalf's own schema is written, found again as it is, and answered by.
func TestOwnSchema(t *testing.T) {
	begin := time.Now()
	lap := func(what string) {
		t.Logf("%-40s %v", what, time.Since(begin).Round(100*time.Microsecond))
		begin = time.Now()
	}
	e := start(t, "")
	lap("start")
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil {
		t.Fatal(err)
	}
	lap("write the schema")
	before := live(t, e)
	if err := e.EnsureSchema(t.Context(), relations.Schema); err != nil || live(t, e) != before {
		t.Errorf("the second EnsureSchema changed the schema: %v", err)
	}
	lap("find it the same")
	wanted, err := engine.ParseSchema(relations.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range relations.Definitions {
		if !slices.Contains(wanted.Names(), name) {
			t.Errorf("the schema has no definition %q", name)
		}
	}
	us := updates(relation.Touch, "party:1#dagl@user:7", "party:2#main_unit@party:1", "party:3#regn_org@party:1")
	for i := range 6000 {
		us = append(us, updates(relation.Touch, fmt.Sprintf("party:%d#dagl@user:%d", i+10, i%100+10))...)
	}
	begin = time.Now()
	write(t, e, us)
	lap("write 6,000 tuples")
	for text, want := range map[string]bool{
		"party:1#represent@user:7": true, "party:2#represent@user:7": true, "party:3#represent@user:7": true,
		"party:1#represent@user:8": false, "party:2#has_dagl@user:7": true, "party:1#has_utinn@user:7": true, "party:1#has_regn@user:7": false,
	} {
		if got := allowed(t, e, relation.At{}, text); got != want {
			t.Errorf("Check(%s) = %v, want %v", text, got, want)
		}
		lap("check " + text)
	}
	ids, _, err := e.Resources(t.Context(), relation.At{}, "party", "represent", subject("user:7"))
	lap("resources of 3")
	if err != nil || len(ids) != 3 {
		t.Errorf("Resources: %q, %v", ids, err)
	}
	ids, _, err = e.Resources(t.Context(), relation.At{}, "party", "represent", subject("user:10"))
	lap("resources of 60")
	if err != nil || len(ids) != 60 {
		t.Errorf("Resources: %d, %v", len(ids), err)
	}
	ids, _, err = e.Subjects(t.Context(), relation.At{}, object("party:2"), "represent", "user")
	lap("subjects of 1")
	if err != nil || len(ids) != 1 {
		t.Errorf("Subjects: %q, %v", ids, err)
	}
}
