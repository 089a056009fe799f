// Package jsonlog writes the server's log as JSON lines, as slog.JSONHandler writes them, with
// durations in seconds.
//
// It owns a shortcut for lines of plain texts, whole numbers and durations, which the events of
// requests are: slog has encoding/json write a level and a number with a fraction, which costs
// more than the rest of the line. It refuses to decide what any other line looks like: slog
// writes it. Only cmd/behalf/internal/cli makes one.
package jsonlog
