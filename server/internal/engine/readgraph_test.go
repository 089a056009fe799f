package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/engine"
	"github.com/behalf-authz/behalf/server/internal/relation"
)

// TestReadGraph compares what is read from the graph with what SpiceDB reads from Postgres,
// faults included.
func TestReadGraph(t *testing.T) {
	uri := database(t)
	graph, spicedb := startNode(t, uri, engine.ReplicaConfig{}), startOn(t, openBare(t, uri), "")
	random := rand.New(rand.NewPCG(5, 5))
	var us []relation.Update
	for range 300 {
		u := updates(relation.Touch, fmt.Sprintf("party:%d#%s@user:%d", random.IntN(20), []string{"self", "dagl"}[random.IntN(2)], random.IntN(10)))[0]
		if u.Relationship.Relation == "dagl" && random.IntN(3) == 0 {
			u.Relationship.Expires = time.Now().Add(time.Hour).Truncate(time.Second)
		}
		us = append(us, u)
	}
	us = append(us, updates(relation.Touch, "party:1#regn_org@party:2", "party:2#unit_esek@user:*", "party:3#main_unit@party:1")...)
	write(t, graph.Engine, us)
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	long, read := strings.Repeat("a", 1024), 0
	for range 400 {
		f := relation.Filter{
			ResourceType: pick("party", "party", "party", "user", "nothing"),
			ResourceID:   pick("", "", "1", "1", "2", "2", "3", "99", "*", "a b", "æ", "a\x00", long, long+"a"),
			Relation:     pick("", "", "dagl", "self", "regn_org", "represent", "unit_esek", "nothing"),
			SubjectType:  pick("", "user", "user", "party", "nothing"),
		}
		if f.SubjectType != "" {
			f.SubjectID = pick("", "", "1", "1", "2", "*", "*", "99", "a b", "æ", long, long+"a")
		} else if random.IntN(10) == 0 {
			f.SubjectID = "1" // of no type
		}
		got, _, err := graph.Read(t.Context(), relation.At{}, f)
		want, _, failed := spicedb.Read(t.Context(), relation.At{}, f)
		if fmt.Sprint(err) != fmt.Sprint(failed) {
			t.Errorf("%+v: %v, want %v", f, err, failed)
		}
		if diff := gocmp.Diff(sorted(want), sorted(got)); diff != "" {
			t.Errorf("%+v: %s", f, diff)
		}
		read += len(got)
	}
	if read == 0 {
		t.Error("no filter selected anything")
	}
}

func sorted(of []relation.Relationship) map[string]time.Time {
	all := make(map[string]time.Time, len(of))
	for _, r := range of {
		all[r.Resource.String()+"#"+r.Relation+"@"+r.Subject.String()] = r.Expires.UTC()
	}
	return all
}
