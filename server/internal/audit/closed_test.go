package audit_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/sqlite"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// refused fails unless a record is not taken.
func refused(t *testing.T, l *audit.Log, want string) {
	t.Helper()
	err := l.Record(t.Context(), []decision.Record{record(1, "refused", xacml.Permit)})
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	metrics := prometheus.NewRegistry()
	l := open(t, audit.Config{Sinks: []string{audit.Records, audit.File}, File: "/dev/full", Registerer: metrics})
	refused(t, l, "no space left on device")
	refused(t, l, "audit sink file")
	got := map[string]float64{}
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "behalf_audit_records_total" && m.GetCounter().GetValue() > 0 {
				got[m.GetLabel()[1].GetValue()+" "+m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if diff := cmp.Diff(map[string]float64{"file failed": 2, "records written": 2}, got); diff != "" {
		t.Error(diff)
	}
}

// TestTableThatFails has a table that takes nothing, as on a disk that is full, and then does:
// records are taken again.
func TestTableThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	l := open(t, audit.Config{Table: path})
	put(t, l, record(1, "before", xacml.Permit))
	other, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	change := func(text string) {
		t.Helper()
		if _, err := other.ExecContext(t.Context(), text); err != nil && !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
	}
	change(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
	taken := 0 // by the journal, until its records could not be entered
	for began := time.Now(); ; taken++ {
		err := l.Record(t.Context(), []decision.Record{record(1, "meanwhile", xacml.Permit)})
		if err != nil && strings.Contains(err.Error(), "the disk is full") {
			break
		} else if err != nil || time.Since(began) > time.Minute {
			t.Fatalf("after %d records: %v", taken, err)
		}
	}
	refused(t, l, "the disk is full")
	change("DROP TRIGGER full")
	put(t, l, record(1, "after", xacml.Permit))
	if got := strings.Fields(search(t, l, audit.Filter{}, 1000)); len(got) != taken+2 || got[0] != "1:after" || got[taken+1] != "1:before" {
		t.Errorf("%d taken, %d found", taken, len(got))
	}
}

// TestRotation renames the file, truncates it, removes it, and puts in its place what cannot
// be written.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, audit.Config{Sinks: []string{audit.File}, File: path})
	put(t, l, record(1, "first", xacml.Permit))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	put(t, l, record(1, "second", xacml.Permit))
	if old, now := lines(t, path+".1"), lines(t, path); len(old) != 1 || old[0].Resource != "first" || len(now) != 1 || now[0].Resource != "second" {
		t.Errorf("renamed: %v, %v", old, now)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	put(t, l, record(1, "third", xacml.Permit))
	if now := lines(t, path); len(now) != 1 || now[0].Resource != "third" {
		t.Errorf("truncated: %v", now)
	}
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	refused(t, l, "is a directory")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	put(t, l, record(1, "fourth", xacml.Permit))
	if now := lines(t, path); len(now) != 1 || now[0].Resource != "fourth" {
		t.Errorf("removed: %v", now)
	}
}

// TestTornLine begins in a file whose last line has no end.
func TestTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, []byte(`{"kind":"dec`), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, audit.Config{Sinks: []string{audit.File}, File: path})
	put(t, l, record(1, "whole", xacml.Permit))
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "\n") != 2 || !strings.HasPrefix(string(text), "{\"kind\":\"dec\n{") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestReadOnlyFile begins with a file that this user may not write.
func TestReadOnlyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		path = "/proc/version" // root may write anything else
	}
	if _, err := audit.Open(t.Context(), audit.Config{Sinks: []string{audit.File}, File: path}); err == nil {
		t.Error("a log began with a file that it cannot write")
	}
}

func BenchmarkRecord(b *testing.B) {
	for name, c := range map[string]audit.Config{
		"none":        {Sinks: []string{audit.None}},
		"records":     {},
		"recordsSync": {Sync: true},
		"file":        {Sinks: []string{audit.File}},
		"both":        {Sinks: []string{audit.Records, audit.File}},
	} {
		if len(c.Sinks) > 0 && c.Sinks[0] != audit.None {
			c.File = filepath.Join(b.TempDir(), "audit.jsonl")
		}
		b.Run(name+"/one", func(b *testing.B) {
			l := open(b, c)
			r := []decision.Record{record(1, "app_skd_taxreport", xacml.Permit)}
			b.ReportAllocs()
			for b.Loop() {
				put(b, l, r...)
			}
		})
		b.Run(name+"/many", func(b *testing.B) {
			l := open(b, c)
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				r := []decision.Record{record(1, "app_skd_taxreport", xacml.Permit)}
				for pb.Next() {
					put(b, l, r...)
				}
			})
		})
	}
}
