package enforce_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/enforce"
)

// TestDocumentedRoutes takes the routes of the documentation.
func TestDocumentedRoutes(t *testing.T) {
	text, err := os.ReadFile("../../../gateway/README.md")
	if err != nil {
		t.Fatal(err)
	}
	const fence = "```"
	_, rest, found := strings.Cut(string(text), fence+"yaml\n")
	example, _, closed := strings.Cut(rest, fence)
	if !found || !closed {
		t.Fatal("no example")
	}
	if _, err := enforce.Parse([]byte(example)); err != nil {
		t.Error(err)
	}
}

// TestFaultyFileIsNotTaken has a file turn wrong, and right again.
func TestFaultyFileIsNotTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes.yaml")
	write := func(text string) {
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(good)
	r, err := enforce.OpenRoutes(enforce.RoutesConfig{
		Path: file, Every: time.Millisecond, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	before := r.Table()
	write("routes: [")
	time.Sleep(20 * time.Millisecond) // for looks at a file that must not be taken
	if r.Table() != before {
		t.Error("a faulty file was taken")
	}
	write(`routes: [{name: one, methods: [GET], path: /y, rule: {public: true}}]`)
	for began := time.Now(); r.Table() == before; time.Sleep(time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("a good file is not taken")
		}
	}
	if r.Table().Len() != 1 {
		t.Errorf("%d routes", r.Table().Len())
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
