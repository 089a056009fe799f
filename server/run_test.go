package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/behalf-authz/behalf/server"
)

// TestRunSaysWhereItServes reads the log of a start and a stop: with port 0, it is the only
// place that tells which ports were taken.
func TestRunSaysWhereItServes(t *testing.T) {
	var log bytes.Buffer
	s, err := server.New(t.Context(), server.Config{
		DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		Logger: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	said := make(map[string]map[string]any)
	for line := range bytes.Lines(log.Bytes()) {
		var event map[string]any
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		message, _ := event["msg"].(string)
		said[message] = event
	}
	if at := said["serving"]; at["grpc"] != s.GRPCAddr() || at["http"] != s.HTTPAddr() || at["tls"] != false {
		t.Errorf("the log does not say where it serves: %s", &log)
	}
	if said["stopping"] == nil {
		t.Errorf("the log does not say that it stops: %s", &log)
	}
}
