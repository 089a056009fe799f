package server_test

import (
	"context"
	"sync"
	"testing"

	"github.com/behalf-authz/behalf/server"
)

// running starts a server, and returns it when it answers. It ends with the test, or by end.
func running(t *testing.T, cfg server.Config) (s *server.Server, end func()) {
	t.Helper()
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	end = sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(end)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, end
}
