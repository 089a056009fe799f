package enforce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// DefaultEvery is how often the routes file is looked at, unless the configuration says otherwise.
const DefaultEvery = 2 * time.Second

// RoutesConfig is what Routes need. Without a Path there are no routes, and every request is
// kept out.
type RoutesConfig struct {
	Path       string
	Every      time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Routes are the routes that hold: those of the file as it last was without a fault.
type Routes struct {
	path   string
	every  time.Duration
	logger *slog.Logger
	table  atomic.Pointer[Table]
	source source // that the table is of
	seen   source // at the last look
	told   string // what was last said of the file

	current prometheus.Gauge
	loads   *prometheus.CounterVec
}

// OpenRoutes reads the routes file. A fault of it is an error: a server does not start
// without the routes that it was given.
func OpenRoutes(c RoutesConfig) (*Routes, error) {
	if c.Logger == nil || c.Registerer == nil {
		return nil, errors.New("enforce: routes need a logger and a registerer")
	}
	if c.Every <= 0 {
		c.Every = DefaultEvery
	}
	r := &Routes{
		path: c.Path, every: c.Every, logger: c.Logger,
		current: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "behalf_routes_current", Help: "Whether the routes that hold are those of the file as it is now.",
		}),
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "behalf_routes_loads_total", Help: "Changes of the routes file, by whether they were taken.",
		}, []string{"result"}),
	}
	for _, m := range []prometheus.Collector{r.current, r.loads} {
		if err := c.Registerer.Register(m); err != nil {
			return nil, fmt.Errorf("register the metrics of routes: %w", err)
		}
	}
	r.table.Store(&Table{})
	r.current.Set(1)
	if c.Path == "" {
		return r, nil
	}
	file, err := load(c.Path)
	if err != nil {
		return nil, err
	}
	r.source, r.seen = file.source, file.source
	r.take(file.table)
	return r, nil
}

// Table returns the routes that hold now.
func (r *Routes) Table() *Table { return r.table.Load() }

// Run looks at the file until ctx is done. It returns nil.
func (r *Routes) Run(ctx context.Context) error {
	if r.path == "" {
		return nil
	}
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			r.look(ctx)
		}
	}
}

// look takes the file if it has changed, is the same as at the last look and has no fault. A
// file that is being written is not taken by halves: half a list may let in more than all of it.
func (r *Routes) look(ctx context.Context) {
	now, err := read(r.path, r.seen)
	if err != nil {
		r.refuse(ctx, err)
		return
	}
	settled := now.equal(r.seen)
	r.seen = now
	switch {
	case now.equal(r.source):
		if r.told != "" {
			r.told = ""
			r.current.Set(1)
			r.logger.InfoContext(ctx, "the routes file is again as the routes that hold", "file", r.path)
		}
		return
	case !settled:
		return
	}
	table, err := parse(now)
	if err != nil {
		r.refuse(ctx, err)
		return
	}
	r.source, r.told = now, ""
	r.take(table)
	r.logger.InfoContext(ctx, "routes loaded", "file", r.path, "routes", table.Len())
}

func (r *Routes) take(t *Table) {
	r.table.Store(t)
	r.current.Set(1)
	r.loads.WithLabelValues("taken").Inc()
}

// refuse keeps the routes that hold, and says so once for each fault.
func (r *Routes) refuse(ctx context.Context, err error) {
	r.current.Set(0)
	if told := err.Error(); told != r.told {
		r.told = told
		r.loads.WithLabelValues("refused").Inc()
		r.logger.ErrorContext(ctx, "the routes file is not taken; the last good one holds", "file", r.path, "error", err)
	}
}
