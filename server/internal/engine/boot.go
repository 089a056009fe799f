package engine

import (
	"context"
	"fmt"
	"time"

	datastorecfg "github.com/authzed/spicedb/pkg/cmd/datastore"
	"github.com/authzed/spicedb/pkg/cmd/server"
	"github.com/authzed/spicedb/pkg/cmd/util"
	"github.com/authzed/spicedb/pkg/datalayer"
	"github.com/authzed/spicedb/pkg/datastore"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/behalf-authz/behalf/server/internal/walk"
)

// schemaMode stores the schema as one text with one hash. Whoever makes a data layer over
// the same datastore must use the same mode.
const schemaMode = datalayer.SchemaModeReadNewWriteNew

const (
	// maxUpdates is how many updates one write may carry, and so how many are atomic.
	maxUpdates = 10_000
	// Atomic is how many updates Write makes in one transaction.
	Atomic = maxUpdates
	// MaxLimit is the greatest limit that a caller of authzed.api.v1 may ask for.
	MaxLimit = 1 << 20
	// watchHeartbeat is how often a polling datastore is asked for changes.
	watchHeartbeat = 100 * time.Millisecond
	// memoryWindow is how long a revision of the memory engine may be named.
	memoryWindow = time.Hour
	// startTimeout bounds the capture of the services.
	startTimeout = 30 * time.Second
)

// boot starts SpiceDB and captures its services.
func (e *Engine) boot(registry *prometheus.Registry) (err error) {
	ctx, cancel := context.WithCancel(e.log.WithContext(context.Background()))
	e.cancel = cancel
	if e.owned {
		if e.store, err = openMemory(ctx); err != nil {
			cancel()
			return err
		}
	}
	catch := &capture{}
	e.spicedb, err = configure(e.store, registry, catch).Complete(ctx)
	if err != nil {
		cancel()
		if e.owned {
			_ = e.store.Close() // the first error is the one that matters
		}
		return fmt.Errorf("configure spicedb: %w", err)
	}
	go func() {
		defer close(e.stopped)
		e.runErr = e.spicedb.Run(ctx)
	}()
	if err := e.captureServices(ctx, catch); err != nil {
		_ = e.Close() // the first error is the one that matters
		return err
	}
	e.services = catch.services
	e.services.Permissions = bounded{catch.services.Permissions, around{catch.services.Permissions}, e.bounds}
	e.services.Experimental = boundedExperiments{catch.services.Experimental, around{catch.services.Experimental}, e.bounds}
	layer := boundedLayer{catch.layer}
	e.layer = &freshLayer{layer, e.store.HeadRevision}
	e.recent, e.recentLayer = e.store.HeadRevision, e.layer
	if s, ok := e.store.(interface {
		Recent(ctx context.Context) (datastore.RevisionWithSchemaHash, error)
	}); ok {
		e.recent = s.Recent
		e.recentLayer = &freshLayer{layer, s.Recent}
	}
	return nil
}

func (e *Engine) captureServices(ctx context.Context, catch *capture) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	conn, err := e.Dial()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is lost: it carries no data
	return catch.run(ctx, conn)
}

// openMemory opens SpiceDB's memory engine. Its quantum is the smallest there is, so that
// the consistency level that callers get by default sees every acknowledged write.
func openMemory(ctx context.Context) (datastore.Datastore, error) {
	store, err := datastorecfg.NewDatastore(ctx,
		datastorecfg.DefaultDatastoreConfig().ToOption(),
		datastorecfg.WithEngine(datastorecfg.MemoryEngine),
		datastorecfg.WithEnableDatastoreMetrics(false), // they go to the default registry, once per process
		datastorecfg.WithRevisionQuantization(time.Nanosecond),
		datastorecfg.WithGCWindow(memoryWindow),
	)
	if err != nil {
		return nil, fmt.Errorf("open spicedb's memory engine: %w", err)
	}
	return newOneWriter(store), nil
}

// configure returns SpiceDB's configuration: nothing listens outside the process, nothing
// is reported to anybody.
func configure(store datastore.Datastore, registry *prometheus.Registry, catch *capture) *server.Config {
	return server.NewConfigWithOptionsAndDefaults(
		server.WithGRPCServer(util.GRPCServerConfig{Network: util.BufferedNetwork, Enabled: true}),
		server.WithDatastore(store),
		// Who may call is decided before a call gets here; the listener is in memory and
		// dispatch to other nodes, which the same function would open, is off.
		server.WithGRPCAuthFunc(func(ctx context.Context) (context.Context, error) { return ctx, nil }),
		server.WithDispatchServer(util.GRPCServerConfig{}),
		server.WithHTTPGateway(util.HTTPServerConfig{}),
		server.WithMetricsAPI(util.HTTPServerConfig{}),
		server.WithSilentlyDisableTelemetry(true),
		server.WithTelemetryEndpoint(""),
		server.WithOTel(server.OTelConfig{Provider: "none", PrometheusRegistry: registry}),
		server.WithDisableGRPCLatencyHistogram(true),
		server.WithEnableMemoryProtectionMiddleware(false),
		server.WithExperimentalSchemaMode(schemaMode.String()),
		server.WithExperimentalLookupResourcesVersion("lr3"),
		server.WithDispatchMaxDepth(walk.MaxDepth), // walks leave to SpiceDB what may be deeper
		server.WithMaximumUpdatesPerWrite(maxUpdates),
		server.WithMaximumPreconditionCount(1000),
		server.WithMaxLookupResourcesLimit(MaxLimit),
		server.WithMaxReadRelationshipsLimit(MaxLimit),
		server.WithMaxDeleteRelationshipsLimit(MaxLimit),
		server.WithMaxDatastoreReadPageSize(maxUpdates),
		server.WithWatchHeartbeat(watchHeartbeat),
		// SpiceDB keys its caches of answers by revision alone, and time makes no revision:
		// with them a relationship that has expired goes on to count until somebody writes.
		server.WithDispatchCacheConfig(server.CacheConfig{Name: "dispatch"}),
		server.WithLR3ResourceChunkCacheConfig(server.CacheConfig{Name: "lr3_chunk"}),
		server.SetUnaryMiddlewareModification(catch.unary()),
		server.SetStreamingMiddlewareModification(catch.stream()),
	)
}
