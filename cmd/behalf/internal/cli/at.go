package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// moment is which state of the past a question is about; the zero value is none.
type moment struct{ text string }

func (m *moment) bind(flags *pflag.FlagSet) {
	flags.StringVar(&m.text, "at", "", "ask about the past: a time such as 2026-05-01T12:00:00Z, or the revision of an earlier answer")
}

// patience is how long an answer about the past may take: the server may have to load that
// state first. Without it the server gives up when it would on any other call.
const patience = 10 * time.Minute

// context returns a context that leaves time for an answer about the past.
func (m *moment) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if m.text == "" {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, patience)
}

// parse returns the time or the revision; at most one of them is given. A revision has
// neither colons nor dashes, a time has both.
func (m *moment) parse() (at *timestamppb.Timestamp, revision string, err error) {
	if !strings.ContainsAny(m.text, ":-") {
		return nil, m.text, nil
	}
	t, err := time.Parse(time.RFC3339, m.text)
	if err != nil {
		return nil, "", usagef("--at: %q is neither a time such as 2026-05-01T12:00:00Z or 2026-05-01T14:00:00+02:00 nor a revision", m.text)
	}
	return timestamppb.New(t), "", nil
}
