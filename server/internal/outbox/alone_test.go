package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server/internal/outbox"
)

// TestAlone returns what became of the work, also when the connection of its lease is gone
// at the end, of which the log tells.
func TestAlone(t *testing.T) {
	uri := database(t)
	n := start(t, uri, nil)
	var log bytes.Buffer
	o, err := outbox.Open(t.Context(), outbox.Config{URI: uri, Graph: n.engine, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	own := errors.New("the work's own")
	for _, row := range []struct {
		what string
		lose bool
		want error
	}{{"done", false, nil}, {"failed", false, own}, {"done, without its lease", true, nil}, {"failed, without its lease", true, own}} {
		log.Reset()
		ran := false
		got := o.Alone(t.Context(), func(context.Context) error {
			ran = true
			if row.lose && !one[bool](t, uri, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 3 AND granted") {
				t.Error("nobody has the lease")
			}
			return row.want
		})
		if got != row.want || !ran { //nolint:errorlint // nothing is to be added to it
			t.Errorf("%s: %v", row.what, got)
		}
		if told := strings.Contains(log.String(), "lease to write not released"); told != row.lose {
			t.Errorf("%s: the log has %q", row.what, log.String())
		}
	}
	if err := n.put(t.Context(), 1); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
