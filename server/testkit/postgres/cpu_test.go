package postgres

import (
	"testing"
	"time"
)

// TestCPU has the server work and sees its time grow.
func TestCPU(t *testing.T) {
	var s Server
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	before := s.CPU(t)
	for deadline := time.Now().Add(time.Minute); s.CPU(t)-before < 5*clockTick; {
		if time.Now().After(deadline) {
			t.Fatal("its work takes no time")
		}
		s.command(t, "DO $$ BEGIN PERFORM sum(n) FROM generate_series(1, 200000) n; END $$")
	}
}

func TestParseStat(t *testing.T) {
	pid, parent, taken, err := parseStat("42 (a (b) c) S 7 42 42 0 -1 4194560 1 2 3 4 11 12 13 14 20 0 1 0 5")
	if err != nil || pid != 42 || parent != 7 || taken != 50*clockTick {
		t.Errorf("%d, %d, %s, %v", pid, parent, taken, err)
	}
	for _, line := range []string{"", "42", "42 (a) S 7", "x (a) S 7 1 1 0 -1 0 1 2 3 4 11 12 13 14", "42 (a) S 7 1 1 0 -1 0 1 2 3 4 11 x 13 14"} {
		if _, _, _, err := parseStat(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}
