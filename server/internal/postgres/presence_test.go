package postgres_test

import (
	"errors"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// TestKeepKeys starts servers with keys beside others. Those that do not go together are refused,
// until the others are gone.
func TestKeepKeys(t *testing.T) {
	uri := pg.Database(t)
	elsewhere, err := postgres.KeepKeys(t.Context(), pg.Database(t), []string{"x"}) // of another database
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = elsewhere() }()
	running := map[string]func() error{}
	for _, step := range []struct {
		stop, start string
		keys        []string
		refused     bool
	}{
		{"", "a", []string{"old"}, false},
		{"", "b", []string{"old"}, false},
		{"", "c", []string{"new"}, true},
		{"", "c", []string{"new", "old"}, true}, // which a and b could not verify
		{"a", "a", []string{"old", "new"}, false},
		{"", "c", []string{"new", "old"}, true}, // which b could not
		{"b", "b", []string{"old", "new"}, false},
		{"a", "a", []string{"new", "old"}, false},
		{"", "c", []string{"new"}, true}, // b signs with the old one
		{"", "c", []string{"old"}, true},
		{"b", "b", []string{"new", "old"}, false},
		{"a", "a", []string{"new"}, false},
		{"b", "b", []string{"new"}, false},
		{"", "c", []string{"old", "new"}, true},
		{"a", "", nil, false},
		{"b", "c", []string{"other"}, false}, // after all are gone
	} {
		if step.stop != "" {
			if err := running[step.stop](); err != nil {
				t.Fatal(err)
			}
			delete(running, step.stop)
		}
		if step.start == "" {
			continue
		}
		release, err := postgres.KeepKeys(t.Context(), uri, step.keys)
		if errors.Is(err, postgres.ErrOtherKeys) != step.refused || err != nil && !step.refused {
			t.Fatalf("%s with %v: %v", step.start, step.keys, err)
		}
		if err == nil {
			running[step.start] = release
		}
	}
	for _, release := range running {
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}
