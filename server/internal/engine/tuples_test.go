package engine_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/relation"
)

func TestReadAndExpiry(t *testing.T) {
	e := start(t, world)
	soon := time.Now().Add(4 * time.Second).Truncate(time.Millisecond)
	us := updates(relation.Touch, "party:1#dagl@user:7", "party:1#self@user:8", "party:2#main_unit@party:1", "party:2#unit_esek@user:*", "party:2#dagl@user:9")
	us[4].Relationship.Expires = soon
	write(t, e, us)

	got, revision, err := e.Read(t.Context(), relation.At{},
		relation.Filter{ResourceType: "party", ResourceID: "1"},
		relation.Filter{ResourceType: "party", Relation: "main_unit", SubjectType: "party", SubjectID: "1"},
		relation.Filter{ResourceType: "party", ResourceID: "2", SubjectType: "user"},
	)
	if err != nil || revision == "" {
		t.Fatalf("Read: %v", err)
	}
	want := []relation.Relationship{us[0].Relationship, us[1].Relationship, us[2].Relationship, us[4].Relationship, us[3].Relationship}
	order := func(rs []relation.Relationship) {
		slices.SortFunc(rs, func(a, b relation.Relationship) int {
			return cmp.Or(cmp.Compare(a.Resource.ID, b.Resource.ID), cmp.Compare(a.Relation, b.Relation), cmp.Compare(a.Subject.ID, b.Subject.ID))
		})
	}
	order(got)
	order(want)
	if diff := gocmp.Diff(want, got, gocmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("Read: %s", diff)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); allowed(t, e, relation.At{}, "party:2#dagl@user:9"); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the relationship has not expired")
		}
	}
	if time.Now().Before(soon) {
		t.Error("the relationship expired early")
	}
	rest, _, err := e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party", ResourceID: "2", Relation: "dagl"})
	if err != nil || len(rest) != 0 {
		t.Errorf("Read of an expired relationship: %v, %v", rest, err)
	}
}

// A user with many parties gets all of them, once each, however they are reached.
func TestLargeResults(t *testing.T) {
	const n = 2500
	e := start(t, world)
	us := make([]relation.Update, 0, 2*n+1)
	us = append(us, updates(relation.Touch, "party:firm#dagl@user:7")...)
	want := []string{"firm"}
	for i := range n {
		us = append(us, updates(relation.Touch,
			fmt.Sprintf("party:%d#regn_org@party:firm", i), // through the firm
			fmt.Sprintf("party:%d#dagl@user:7", i))...)     // and directly
		want = append(want, fmt.Sprint(i))
	}
	slices.Sort(want)
	write(t, e, us)

	got, _, err := e.Resources(t.Context(), relation.At{}, "party", "represent", subject("user:7"))
	if err != nil {
		t.Fatalf("Resources: %v", err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("Resources gave %d ids, want %d", len(got), len(want))
	}
	read, _, err := e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party"})
	if err != nil || len(read) != 2*n+1 {
		t.Errorf("Read gave %d relationships, want %d: %v", len(read), 2*n+1, err)
	}
}

func TestSubjects(t *testing.T) {
	e := start(t, world)
	write(t, e, updates(relation.Touch, "party:1#dagl@user:7", "party:1#dagl@user:8", "party:1#self@user:7", "party:1#unit_esek@user:*"))
	got, _, err := e.Subjects(t.Context(), relation.At{}, object("party:1"), "represent", "user")
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"7", "8"}) {
		t.Errorf("Subjects: %q, %v", got, err)
	}
	got, _, err = e.Subjects(t.Context(), relation.At{}, object("party:1"), "unit_esek", "user")
	if err != nil || len(got) != 0 {
		t.Errorf("Subjects through a wildcard: %q, %v; want none", got, err)
	}
}

// More updates than one transaction takes are all written, and the last update of a
// relationship is the one that counts.
func TestLargeWrite(t *testing.T) {
	const n = 10_050
	e := start(t, world)
	us := make([]relation.Update, 0, n+2)
	us = append(us, updates(relation.Touch, "party:last#dagl@user:7", "party:0#dagl@user:7")...)
	us = append(us, updates(relation.Delete, "party:last#dagl@user:7")...)
	for i := range n {
		us = append(us, updates(relation.Touch, fmt.Sprintf("party:%d#dagl@user:7", i))...)
	}
	write(t, e, us)
	read, _, err := e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party", Relation: "dagl"})
	if err != nil || len(read) != n {
		t.Errorf("Read gave %d relationships, want %d: %v", len(read), n, err)
	}
	questions := make([]relation.Question, n)
	for i := range questions {
		questions[i] = question(fmt.Sprintf("party:%d#dagl@user:%d", i, 7+i%2))
	}
	if testing.Short() {
		questions = questions[:50] // the memory engine reads all tuples for each group of checks
	}
	answers, _, err := e.Check(t.Context(), relation.At{}, questions...)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	for i, a := range answers {
		if a.Err != nil || a.Allowed != (i%2 == 0) {
			t.Fatalf("answer %d: %+v", i, a)
		}
	}
	for i := range us {
		us[i].Op = relation.Delete
	}
	write(t, e, us)
	read, _, err = e.Read(t.Context(), relation.At{}, relation.Filter{ResourceType: "party"})
	if err != nil || len(read) != 0 {
		t.Errorf("%d relationships are left after all were deleted: %v", len(read), err)
	}
}
