package jsonlog

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// mostKept is how many bytes of memory a line may have taken that is used again. A longer line
// has a text of somebody's choice in it, and its memory is let go.
const mostKept = 16 << 10

// Handler writes records as JSON lines.
type Handler struct {
	slog.Handler // of slog, which writes what appendRecord does not

	out   io.Writer
	lines sync.Pool // of *[]byte
}

// New returns a handler of records of at least the level. Each line is one call of w.Write, and
// no two are made at once.
func New(w io.Writer, level slog.Leveler) *Handler {
	out := &oneAtATime{w: w}
	return &Handler{
		Handler: slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: seconds}),
		out:     out,
		lines:   sync.Pool{New: func() any { return new([]byte) }},
	}
}

// Handle writes a record.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	line, ok := h.lines.Get().(*[]byte)
	if !ok {
		return h.Handler.Handle(ctx, r)
	}
	defer func() {
		if cap(*line) <= mostKept {
			h.lines.Put(line)
		}
	}()
	if *line, ok = appendRecord((*line)[:0], r); !ok {
		return h.Handler.Handle(ctx, r)
	}
	_, err := h.out.Write(*line)
	return err
}

// oneAtATime is a writer that two handlers share.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes one line.
func (o *oneAtATime) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(line)
}

// seconds writes a duration as programs read it. slog alone writes nanoseconds, which do not
// say what they are.
func seconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return a
}

// appendRecord appends a record's line, to the byte what slog would write. ok is false when
// that would take more than printable ASCII without an escape, whole numbers, truths and
// durations.
func appendRecord(line []byte, r slog.Record) (_ []byte, ok bool) {
	if year := r.Time.Year(); r.Time.IsZero() || year < 0 || year > 9999 {
		return line, false
	}
	line = append(line, `{"time":"`...)
	line = r.Time.AppendFormat(line, time.RFC3339Nano)
	line = append(line, `","level":"`...)
	line = append(line, r.Level.String()...)
	line = append(line, `","msg":`...)
	if line, ok = appendText(line, r.Message); !ok {
		return line, false
	}
	r.Attrs(func(a slog.Attr) bool {
		line, ok = appendAttr(line, a)
		return ok
	})
	return append(line, "}\n"...), ok
}

func appendAttr(line []byte, a slog.Attr) (_ []byte, ok bool) {
	line = append(line, ',')
	if line, ok = appendText(line, a.Key); !ok {
		return line, false
	}
	line = append(line, ':')
	switch a.Value.Kind() { //nolint:exhaustive // slog writes all others
	case slog.KindString:
		return appendText(line, a.Value.String())
	case slog.KindInt64:
		return strconv.AppendInt(line, a.Value.Int64(), 10), true
	case slog.KindBool:
		return strconv.AppendBool(line, a.Value.Bool()), true
	case slog.KindDuration:
		return appendSeconds(line, a.Value.Duration())
	}
	return line, false
}

// appendText appends a text that needs no escape.
func appendText(line []byte, text string) ([]byte, bool) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return line, false
		}
	}
	line = append(line, '"')
	line = append(line, text...)
	return append(line, '"'), true
}

// appendSeconds appends a duration for which JSON needs no exponent.
func appendSeconds(line []byte, d time.Duration) ([]byte, bool) {
	if d < 0 || d != 0 && d < time.Microsecond {
		return line, false
	}
	return strconv.AppendFloat(line, d.Seconds(), 'f', -1, 64), true
}
