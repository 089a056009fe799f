package graph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/graph"
)

// TestSince: what changed between two versions is told, and it is said when it cannot be.
func TestSince(t *testing.T) {
	g := newGraph(t, graph.Config{Age: time.Minute})
	snapshots := []*graph.Snapshot{g.Head()}
	for i := range 200 {
		publish(t, g, uint64(2*i+2), epoch.Add(time.Duration(i)*time.Second), viewer(fmt.Sprint("d", i), "u"))
		snapshots = append(snapshots, g.Head())
	}
	head := snapshots[200]
	changed := func(s *graph.Snapshot, v graph.Version, most int) (ids []string, complete bool) {
		complete = s.Since(v, most, func(resource, subject graph.Node) bool {
			if s.ID(subject) != "u" {
				t.Errorf("the subject is %s", s.ID(subject))
			}
			ids = append(ids, s.ID(resource))
			return true
		})
		return ids, complete
	}
	if oldest := head.Oldest(); oldest.Before(snapshots[138].Version()) || !oldest.Before(snapshots[142].Version()) || oldest != snapshots[3].Oldest() {
		t.Errorf("a minute of two hundred seconds begins with %v", oldest)
	}
	if ids, ok := changed(head, snapshots[197].Version(), 100); !ok || fmt.Sprint(ids) != "[d197 d198 d199]" {
		t.Errorf("of the last three: %v, %v", ids, ok)
	}
	if ids, ok := changed(snapshots[198], snapshots[196].Version(), 100); !ok || fmt.Sprint(ids) != "[d196 d197]" {
		t.Errorf("of two before: %v, %v", ids, ok)
	}
	if ids, ok := changed(head, head.Version(), 0); !ok || len(ids) > 0 {
		t.Errorf("of none: %v, %v", ids, ok)
	}
	for name, c := range map[string]struct {
		version graph.Version
		most    int
	}{
		"too many":       {snapshots[180].Version(), 10},
		"too old":        {snapshots[1].Version(), 1000},
		"nobody's":       {graph.Version{}, 1000},
		"of another one": {newGraph(t, graph.Config{}).Head().Version(), 1000},
	} {
		if ids, ok := changed(head, c.version, c.most); ok || len(ids) > 0 {
			t.Errorf("%s: %v, %v", name, ids, ok)
		}
	}
	if _, ok := changed(snapshots[197], head.Version(), 1000); ok {
		t.Error("a later version is said to be an earlier one")
	}
	if head.Since(snapshots[190].Version(), 100, func(graph.Node, graph.Node) bool { return false }) {
		t.Error("it is complete though it was ended")
	}
}
