package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/encoding/json"
	"golang.org/x/sync/errgroup"

	"github.com/behalf-authz/behalf/server/internal/decision"
)

// The sinks, as Config names them.
const (
	Records = "records" // the table that can be searched
	File    = "file"    // JSON lines
	Stdout  = "stdout"  // JSON lines
	None    = "none"    // nothing is recorded
)

// The formats of JSON lines.
const (
	Native = "native"
	Altinn = "altinn" // the events of Altinn's authorization
)

// Config is what a Log needs. Its zero value keeps the records sink.
type Config struct {
	Sinks     []string      // Records, File, Stdout, or None alone; none of them is Records
	File      string        // of the sink File
	Format    string        // of File and Stdout: Native or Altinn; empty is Native
	Sync      bool          // a record is taken when it has reached the disk
	Retention time.Duration // how long the table keeps records; 0 is for ever

	Table      string // path of the SQLite file of the table
	Postgres   string // URI of the database that has the table instead
	Stdout     io.Writer
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Validate returns every fault of what an operator sets, joined.
func (c Config) Validate() error {
	var faults []error
	for _, name := range c.Sinks {
		if !slices.Contains([]string{Records, File, Stdout, None}, name) {
			faults = append(faults, fmt.Errorf("--audit: %q is no sink; there are records, file, stdout and none", name))
		}
	}
	if slices.Contains(c.Sinks, None) && len(c.Sinks) > 1 {
		faults = append(faults, errors.New("--audit: none goes with no other sink"))
	}
	if has := slices.Contains(c.Sinks, File); has != (c.File != "") {
		faults = append(faults, errors.New("--audit-file goes with the sink file in --audit: give both or neither"))
	}
	if c.Format != "" && c.Format != Native && c.Format != Altinn {
		faults = append(faults, fmt.Errorf("--audit-format: %q is not native or altinn", c.Format))
	}
	if c.Retention < 0 {
		faults = append(faults, fmt.Errorf("--audit-retention: %s is negative", c.Retention))
	}
	return errors.Join(faults...)
}

// sinks returns the names of the sinks that are wanted.
func (c Config) sinks() []string {
	switch {
	case len(c.Sinks) == 0:
		return []string{Records}
	case slices.Contains(c.Sinks, None):
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(c.Sinks)))
}

// Log records answers in all its sinks. It is safe for concurrent use. The nil Log records
// nothing and has nothing to search.
type Log struct {
	groups    []*group
	table     rows // nil unless it is a sink
	altinn    bool
	retention time.Duration
	logger    *slog.Logger
	stamps    stamps
}

// Open opens the sinks. Each must be ready to take records.
func Open(ctx context.Context, c Config) (_ *Log, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Stdout == nil {
		c.Stdout = os.Stdout
	}
	m, err := newMetrics(c.Registerer)
	if err != nil {
		return nil, err
	}
	l := &Log{altinn: c.Format == Altinn, retention: c.Retention, logger: c.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	for _, name := range c.sinks() {
		s, err := l.open(ctx, c, name)
		if err != nil {
			return nil, fmt.Errorf("open the audit sink %s: %w", name, err)
		}
		l.groups = append(l.groups, newGroup(s, c.Sync, m.of(name), c.Logger))
	}
	return l, nil
}

func (l *Log) open(ctx context.Context, c Config, name string) (_ sink, err error) {
	switch {
	case name == File:
		return openFile(c.File, l.altinn)
	case name == Stdout:
		return &stream{out: c.Stdout, lines: lines{altinn: l.altinn}}, nil
	case c.Postgres != "":
		t, err := openPostgres(ctx, c.Postgres)
		if err == nil {
			l.table = t
		}
		return t, err
	}
	t, err := openSQLite(ctx, c.Table)
	if err == nil {
		l.table = t
	}
	return t, err
}

// Record implements decision.Auditor: it returns once every sink has taken the records.
func (l *Log) Record(ctx context.Context, records []decision.Record) error {
	if l == nil || len(l.groups) == 0 {
		return nil
	}
	lines := make([]line, len(records))
	for i := range records {
		e := entryOf(&records[i])
		created := e.Time
		e.Time = time.Unix(0, l.stamps.next()).UTC()
		lines[i].entry = &e
		if l.altinn {
			lines[i].altinn = altinnEvent(&e, created, records[i].Request)
		}
	}
	return l.put(ctx, lines)
}

// Put records answers of other kinds, as Record does. It sets their times.
func (l *Log) Put(ctx context.Context, entries ...Entry) error {
	if l == nil || len(l.groups) == 0 {
		return nil
	}
	lines := make([]line, len(entries))
	for i := range entries {
		e := entries[i]
		e.hide()
		e.Time = time.Unix(0, l.stamps.next()).UTC()
		lines[i].entry = &e
		if l.altinn {
			lines[i].altinn = altinnEvent(&e, e.Time, nil)
		}
	}
	return l.put(ctx, lines)
}

func (l *Log) put(ctx context.Context, lines []line) error {
	for i := range lines {
		text, err := json.Marshal(lines[i].entry)
		if err != nil {
			return fmt.Errorf("encode an audit record: %w", err)
		}
		lines[i].native = text
	}
	if len(l.groups) == 1 {
		return l.groups[0].put(ctx, lines)
	}
	faults := make([]error, len(l.groups))
	var all errgroup.Group
	for i, g := range l.groups {
		all.Go(func() error {
			faults[i] = g.put(ctx, lines)
			return nil
		})
	}
	_ = all.Wait() // its functions return nil
	return errors.Join(faults...)
}

// pruneEvery is how often records are looked for that are older than they are kept.
const pruneEvery = 10 * time.Minute

// pruneAtOnce is how many of them are removed by one statement, so that none waits long.
const pruneAtOnce = 1000

// Run syncs what was taken and removes what has been kept long enough, until ctx is done.
func (l *Log) Run(ctx context.Context) error {
	if l == nil {
		return nil
	}
	var all errgroup.Group
	for _, g := range l.groups {
		all.Go(func() error { g.run(ctx); return nil })
	}
	if l.table != nil && l.retention > 0 {
		all.Go(func() error { l.prune(ctx); return nil })
	}
	return all.Wait()
}

// prune removes old records now and then.
func (l *Log) prune(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if n, err := l.Prune(ctx); err != nil && ctx.Err() == nil {
			l.logger.ErrorContext(ctx, "old audit records could not be removed", "error", err)
		} else if n > 0 {
			l.logger.InfoContext(ctx, "old audit records removed", "records", n, "kept_for", l.retention)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Prune removes the records that are older than they are kept, and returns how many it has.
func (l *Log) Prune(ctx context.Context) (int64, error) {
	var all int64
	if l == nil || l.table == nil || l.retention <= 0 {
		return 0, nil
	}
	before := time.Now().Add(-l.retention)
	for {
		n, err := l.table.prune(ctx, before, pruneAtOnce)
		all += n
		if err != nil || n < pruneAtOnce {
			return all, err
		}
	}
}

// Close syncs and closes the sinks.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	var faults []error
	for _, g := range l.groups {
		faults = append(faults, g.close())
	}
	return errors.Join(faults...)
}
