package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"

	"github.com/rs/zerolog"
	zerologlog "github.com/rs/zerolog/log"
)

// RouteLogs sends to logger what SpiceDB writes to its process-wide loggers, which are
// silent or write to standard error until then. Only the owner of the process may call
// it, once, before any engine is started: those loggers are variables of other packages.
// What it routes is little (warnings about configuration and mismatched revisions): lines
// of a call or of start and stop reach the engine's own logger without it.
func RouteLogs(logger *slog.Logger) {
	l := bridge(logger)
	if zerolog.DefaultContextLogger != nil { // points to SpiceDB's own variable
		*zerolog.DefaultContextLogger = l
	}
	zerologlog.Logger = l
}

// bridge returns a zerolog logger whose lines become records of logger.
func bridge(logger *slog.Logger) zerolog.Logger {
	return zerolog.New(&logWriter{logger: logger.With("component", "spicedb")}).Level(lowest(logger))
}

// lowest returns the lowest level that logger takes, so that SpiceDB does not format what
// nobody reads.
func lowest(logger *slog.Logger) zerolog.Level {
	for _, level := range []zerolog.Level{zerolog.DebugLevel, zerolog.InfoLevel, zerolog.WarnLevel} {
		if logger.Enabled(context.Background(), slogLevel(level)) {
			return level
		}
	}
	return zerolog.ErrorLevel
}

// logWriter takes zerolog's lines, one JSON object each.
type logWriter struct{ logger *slog.Logger }

// Write takes a line without a level.
func (w *logWriter) Write(line []byte) (int, error) { return w.WriteLevel(zerolog.InfoLevel, line) }

// WriteLevel takes a line. A line that is no JSON object is logged as it is.
func (w *logWriter) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	fields := map[string]any{}
	if err := json.Unmarshal(line, &fields); err != nil {
		fields = map[string]any{"text": string(bytes.TrimSpace(line))}
	}
	message, _ := fields[zerolog.MessageFieldName].(string)
	attrs := make([]slog.Attr, 0, len(fields)+1)
	if message != "" {
		attrs = append(attrs, slog.String("event", message))
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch key {
		case zerolog.MessageFieldName, zerolog.LevelFieldName, zerolog.TimestampFieldName:
		default:
			attrs = append(attrs, slog.Any(key, fields[key]))
		}
	}
	w.logger.LogAttrs(context.Background(), slogLevel(level), "spicedb", attrs...)
	return len(line), nil
}

// slogLevel is the level of a line in our log. What informs SpiceDB's operator is detail
// to ours, who did not choose to run one.
func slogLevel(level zerolog.Level) slog.Level {
	switch level {
	case zerolog.TraceLevel, zerolog.DebugLevel, zerolog.InfoLevel, zerolog.NoLevel:
		return slog.LevelDebug
	case zerolog.WarnLevel:
		return slog.LevelWarn
	case zerolog.ErrorLevel, zerolog.FatalLevel, zerolog.PanicLevel, zerolog.Disabled:
	}
	return slog.LevelError
}
