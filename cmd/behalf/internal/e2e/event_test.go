package e2e

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// log is a log that may be read while it is written.
type log struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // has room for one sign that there is something to read
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

// await returns when the text has been written: a request's event may follow its answer.
func (l *log) await(t *testing.T, text string) {
	t.Helper()
	patience := time.After(time.Minute)
	for !l.has(text) {
		select {
		case <-l.written:
		case <-patience:
			t.Fatalf("%q was not logged", text)
		}
	}
}

func (l *log) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// take returns the lines since the last call.
func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.String()
	l.text.Reset()
	return text
}

// TestOneEventPerRequest makes one request at each door: it leaves one event that says who
// asked, and nothing that it was told in confidence.
func TestOneEventPerRequest(t *testing.T) {
	written := &log{written: make(chan struct{}, 1)}
	i := startLogging(t, slog.New(slog.NewJSONHandler(written, nil)))
	loadDemo(t, i)
	token := i.userToken(t, 20010001, 50010001)
	written.await(t, "/behalf.v1.RegisterService/Import")
	written.take()

	for name, c := range map[string]struct {
		call func()
		want map[string]any
	}{
		"altinn": {
			func() { i.call(t, "GET", "/authorization/api/v1/parties?userid=20010001", token, "") },
			map[string]any{"msg": "http request", "route": "/authorization/api/v1/parties", "status": 200.0, "caller": "user/20010001"},
		},
		"rest": {
			func() { i.call(t, "GET", "/v1/parties?search=fjellbekk", token, "") },
			map[string]any{"msg": "http request", "route": "/v1/parties", "status": 200.0, "caller": "user/20010001"},
		},
		"rest, refused": {
			func() { i.call(t, "GET", "/v1/parties?user_id=7", token, "") },
			map[string]any{"msg": "http request", "route": "/v1/parties", "status": 403.0, "reason": "OTHER_USER"},
		},
		"grpc": {
			func() {
				_, _ = behalfv1.NewPartyServiceClient(i.conn).ListParties(as(t.Context(), token), &behalfv1.ListPartiesRequest{})
			},
			map[string]any{"msg": "request", "method": "/behalf.v1.PartyService/ListParties", "code": "OK", "caller": "user", "user_id": 20010001.0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.call()
			written.await(t, "\n")
			text := written.take()
			for _, secret := range []string{token, "14827510360", "FJELLBEKK", "fjellbekk"} {
				if strings.Contains(text, secret) {
					t.Errorf("the log repeats %.20q: %s", secret, text)
				}
			}
			var event map[string]any
			if err := json.Unmarshal([]byte(text), &event); err != nil {
				t.Fatalf("want one event, got %q: %v", text, err)
			}
			for key, want := range c.want {
				if event[key] != want {
					t.Errorf("%s is %v, want %v, in %s", key, event[key], want, text)
				}
			}
		})
	}
}
