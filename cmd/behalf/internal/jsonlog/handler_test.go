package jsonlog_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/jsonlog"
)

// TestLinesAreSlogs compares each line with slog's own, to the byte.
func TestLinesAreSlogs(t *testing.T) {
	now := time.Date(2026, 3, 9, 7, 5, 1, 120_000_300, time.FixedZone("", 3600))
	for name, r := range map[string]slog.Record{
		"event": record(now, slog.LevelInfo, "request",
			slog.String("method", "/behalf.v1.CheckService/Check"), slog.String("code", "OK"),
			slog.Duration("duration", 123_456*time.Nanosecond), slog.String("peer", "[::1]:5000"),
			slog.Int64("user_id", -20001337), slog.Bool("allowed", false), slog.Bool("cached", true)),
		"nothing more":    record(now, slog.LevelWarn, "serving"),
		"level between":   record(now, slog.LevelError+2, "x"),
		"negative level":  record(now, slog.LevelDebug-1, "x"),
		"UTC":             record(now.UTC(), slog.LevelInfo, "x"),
		"whole second":    record(now.Truncate(time.Second), slog.LevelInfo, "x"),
		"monotonic":       record(time.Now(), slog.LevelInfo, "x"),
		"no time":         record(time.Time{}, slog.LevelInfo, "x"),
		"far year":        record(now.AddDate(9000, 0, 0), slog.LevelInfo, "x"),
		"no message":      record(now, slog.LevelInfo, ""),
		"escapes":         record(now, slog.LevelInfo, "a \"b\" \\ \n\t\x00\x7f", slog.String("k\n", "v\r\u2028\u2029")),
		"angles":          record(now, slog.LevelInfo, "<a>&'b'", slog.String("<k>", "&v")),
		"letters":         record(now, slog.LevelInfo, "Bjørn \xff", slog.String("ø", "å")),
		"empty key":       record(now, slog.LevelInfo, "x", slog.String("", "v")),
		"empty attribute": record(now, slog.LevelInfo, "x", slog.Attr{}),
		"twice":           record(now, slog.LevelInfo, "x", slog.Int("k", 1), slog.Int("k", 2)),
		"others": record(now, slog.LevelInfo, "x", slog.Float64("f", 1.5), slog.Uint64("u", math.MaxUint64), slog.Time("t", now),
			slog.Any("err", errors.New("disk on fire")), slog.Any("nil", nil), slog.Group("g", slog.Duration("d", time.Second)),
			slog.Any("list", []string{"a"}), slog.Any("value", valuer{})),
		"durations": record(now, slog.LevelInfo, "x", slog.Duration("a", 0), slog.Duration("b", time.Microsecond),
			slog.Duration("c", 1001*time.Nanosecond), slog.Duration("d", time.Second), slog.Duration("e", 100*time.Hour+time.Nanosecond),
			slog.Duration("f", math.MaxInt64)),
		"short duration":    record(now, slog.LevelInfo, "x", slog.Duration("d", 999*time.Nanosecond)),
		"negative duration": record(now, slog.LevelInfo, "x", slog.Duration("d", -time.Second)),
	} {
		var want, got bytes.Buffer
		plain := slog.NewJSONHandler(&want, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindDuration {
				a.Value = slog.Float64Value(a.Value.Duration().Seconds())
			}
			return a
		}})
		if err := errors.Join(plain.Handle(t.Context(), r), jsonlog.New(&got, slog.LevelInfo).Handle(t.Context(), r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got.String() != want.String() {
			t.Errorf("%s:\n got %s\nwant %s", name, &got, &want)
		}
	}
}

func TestLevelAndChildren(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(jsonlog.New(&out, slog.LevelWarn))
	log.InfoContext(t.Context(), "left out")
	log.With("part", "store").WithGroup("g").WarnContext(t.Context(), "kept", "took", 2*time.Second)
	if got := out.String(); strings.Contains(got, "left out") || !strings.HasSuffix(got, `"msg":"kept","part":"store","g":{"took":2}}`+"\n") {
		t.Errorf("got %s", got)
	}
}

// TestLinesStayWhole has both ways of writing meet, on a writer that is not safe for two.
func TestLinesStayWhole(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(jsonlog.New(&out, slog.LevelInfo))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				log.InfoContext(t.Context(), "short")
				log.InfoContext(t.Context(), "long", "v", 1.5)
			}
		})
	}
	all.Wait()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, l := range lines {
		if !strings.HasPrefix(l, `{"time":"`) || !strings.HasSuffix(l, "}") || strings.Count(l, "{") != 1 {
			t.Fatalf("line %q", l)
		}
	}
	if len(lines) != 800 {
		t.Errorf("got %d lines, want 800", len(lines))
	}
}

func BenchmarkEvent(b *testing.B) {
	r := record(time.Now(), slog.LevelInfo, "request",
		slog.String("method", "/behalf.v1.CheckService/Check"), slog.String("code", "OK"),
		slog.Duration("duration", 123_456*time.Nanosecond), slog.String("request_id", "abcdefghijklmnopqrstuvwxyz"),
		slog.String("peer", "127.0.0.1:50000"), slog.String("caller", "user"), slog.Int64("user_id", 20001337))
	h := jsonlog.New(io.Discard, slog.LevelInfo)
	for name, one := range map[string]slog.Handler{"slog": h.Handler, "shortcut": h} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = one.Handle(b.Context(), r)
			}
		})
	}
}

type valuer struct{}

func (valuer) LogValue() slog.Value { return slog.DurationValue(time.Minute) }

func record(at time.Time, level slog.Level, message string, attrs ...slog.Attr) slog.Record {
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(attrs...)
	return r
}
