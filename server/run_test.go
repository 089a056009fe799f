package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/behalf-authz/behalf/server"
)

// TestHealthOfServices asks gRPC's health service of the server and of one service, before,
// while and after the server serves.
func TestHealthOfServices(t *testing.T) {
	s, err := server.New(t.Context(), server.Config{DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	probe := healthv1.NewHealthClient(s.Conn())
	check := func(when string, want ...healthv1.HealthCheckResponse_ServingStatus) {
		t.Helper()
		for _, service := range []string{"", "behalf.v1.PartyService", "authzed.api.v1.PermissionsService"} {
			got, err := probe.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
			if !slices.Contains(want, got.GetStatus()) {
				t.Errorf("%s: %q is %s, %v", when, service, got.GetStatus(), err)
			}
		}
	}
	check("before", healthv1.HealthCheckResponse_NOT_SERVING, healthv1.HealthCheckResponse_UNKNOWN)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	check("while", healthv1.HealthCheckResponse_SERVING)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	check("after", healthv1.HealthCheckResponse_NOT_SERVING)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

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
