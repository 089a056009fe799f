package monitor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/behalf-authz/behalf/server"
	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// TestMetrics holds that each metric in the files is one that a server shows, with each label that is
// selected or kept, and that each of the server's own metrics is in the dashboard.
func TestMetrics(t *testing.T) {
	shown := scrape(t, server.Config{})
	if testing.Short() {
		t.Skip("a server on Postgres takes its time")
	}
	maps.Copy(shown, scrape(t, server.Config{Datastore: pg.Database(t), Migrate: true}))
	queries := append(alerts(t), dashboard(t)...)
	if len(queries) < 30 {
		t.Fatalf("%d queries read", len(queries))
	}
	used := map[string]bool{}
	for _, q := range queries {
		metrics, labels := q.named()
		if len(metrics) == 0 {
			t.Errorf("%s: no metric in %s", q.where, q.expr)
		}
		for _, metric := range metrics {
			used[metric] = true
			if metric != "up" && shown[metric] == nil {
				t.Errorf("%s: no server shows %s", q.where, metric)
			}
			for _, label := range labels {
				ofPrometheus := label == "job" || label == "instance"
				if metric != "up" && !ofPrometheus && !shown[metric][label] {
					t.Errorf("%s: %s has no label %s", q.where, metric, label)
				}
			}
		}
	}
	for metric := range shown {
		ours := strings.HasPrefix(metric, "behalf_") && !strings.HasSuffix(metric, "_sum") && !strings.HasSuffix(metric, "_count")
		if ours && !used[metric] {
			t.Errorf("nothing shows %s", metric)
		}
	}
}

// query is an expression of Prometheus.
type query struct{ where, expr string }

var (
	selector = regexp.MustCompile(`\b([a-z_]+)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)\s*"`)
	grouping = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

// named returns the metrics of a query, all of which have a selector, and their labels.
func (q query) named() (metrics, labels []string) {
	for _, m := range selector.FindAllStringSubmatch(q.expr, -1) {
		metrics = append(metrics, m[1])
		for _, label := range matcher.FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, label[1])
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(q.expr, -1) {
		labels = append(labels, strings.FieldsFunc(m[1], func(c rune) bool { return c == ',' || c == ' ' })...)
	}
	return metrics, labels
}

func alerts(t *testing.T) []query {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	var all []query
	for _, rule := range file.Groups[0].Rules {
		if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["action"] == "" {
			t.Errorf("%s does not say how bad it is, what is wrong and what to do", rule.Alert)
		}
		all = append(all, query{rule.Alert, rule.Expr})
	}
	return all
}

func dashboard(t *testing.T) []query {
	t.Helper()
	var file struct {
		Panels []struct {
			ID          int
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &file); err != nil {
		t.Fatal(err)
	}
	var all []query
	ids := map[int]bool{}
	for _, panel := range file.Panels {
		if ids[panel.ID] || (panel.Type != "row") != (len(panel.Targets) > 0) {
			t.Errorf("panel %d, %s: its id is another's, or it shows nothing", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			all = append(all, query{panel.Title, target.Expr})
		}
	}
	return all
}

// scrape runs a server, gives each kind of metric something to count, and returns the metrics that it
// shows with their labels.
func scrape(t *testing.T, cfg server.Config) map[string]map[string]bool {
	t.Helper()
	cfg.DataDir, cfg.GRPCAddr, cfg.HTTPAddr = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", "127.0.0.1:0"
	cfg.Enforcement.TrustedPeers = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	cfg.Audit.Sinks = []string{"records"}
	var client *http.Client
	cfg.TLS, client = certified(t)
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
	}()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	get(t, client, "https://"+s.HTTPAddr()+"/authz/forward", "X-Forwarded-Method", "GET", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "x", "X-Forwarded-Uri", "/x")
	shown := map[string]map[string]bool{}
	for line := range strings.Lines(get(t, client, "https://"+s.HTTPAddr()+"/metrics")) {
		name, rest, _ := strings.Cut(line, " ")
		name, labels, _ := strings.Cut(name, "{")
		if name == "#" || name == "" {
			continue
		}
		if shown[name] == nil {
			shown[name] = map[string]bool{}
		}
		for _, label := range matcher.FindAllStringSubmatch(labels+rest, -1) {
			shown[name][label[1]] = true
		}
	}
	return shown
}

func get(t *testing.T, client *http.Client, address string, header ...string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var text strings.Builder
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(&text, lines.Text())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
