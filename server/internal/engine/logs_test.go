package engine_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/engine"
)

// SpiceDB's lines about its start arrive as records of the logger that was given.
func TestLogs(t *testing.T) {
	var lines bytes.Buffer
	e, err := engine.New(engine.Config{Logger: slog.New(slog.NewJSONHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	found := false
	for line := range bytes.Lines(lines.Bytes()) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if record["component"] != "spicedb" || record["msg"] != "spicedb" {
			t.Errorf("a record of somebody else: %s", line)
		}
		found = found || record["event"] == "configured dispatcher"
	}
	if !found {
		t.Errorf("nothing of SpiceDB's start arrived:\n%s", lines.String())
	}
}
