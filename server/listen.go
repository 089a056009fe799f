package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/behalf-authz/behalf/gateway"
	"github.com/behalf-authz/behalf/gateway/altinn"
	"github.com/behalf-authz/behalf/schema"
)

// Limits of the HTTP port on a client that sends slowly, or not at all.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Limits of the gRPC port on one connection: how many calls it carries at once, how often
// an idle one is asked whether it still is, and how often its client may ask us.
const (
	maxStreams    = 1000
	keepaliveTime = time.Minute
	minPing       = 10 * time.Second
)

// buildGateway builds the HTTP port's handler over the in-process connection.
func (s *Server) buildGateway(c *openedCredentials) error {
	jwks, err := c.issuer.JWKS()
	if err != nil {
		return fmt.Errorf("publish the token issuer's key: %w", err)
	}
	clientJWKS, err := c.logins.clientKeys()
	if err != nil {
		return err
	}
	handler, err := gateway.New(gateway.Config{
		Conn: s.inproc,
		Decisions: altinn.Decisions{
			Identity:     s.gatewayIdentity.authorization(),
			Peers:        s.cfg.DecisionPeers,
			Certificates: s.cfg.TLS.ClientCAFile != "",
			Open:         s.cfg.compatible(CompatOpenDecision),
		},
		Login: s.loginDoors(),

		Enforcement: s.gatewayDoors(),
		Logger:      s.cfg.Logger,
		Registerer:  s.registry,
		// SpiceDB keeps most of its metrics in the process-wide registry.
		Gatherer: prometheus.Gatherers{s.registry, prometheus.DefaultGatherer},
		JWKS:     func() []byte { return jwks },
		OpenAPI:  schema.OpenAPI,
		Ready:    s.answering,

		ClientJWKS: clientJWKS,

		MaxBodyBytes: int64(s.cfg.Limits.MessageBytes),
		Early:        s.chain.Early,
		Timeout:      s.cfg.Limits.requestTime(),

		PublicURL: s.cfg.PublicURL,
	})
	if err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	return nil
}

// listen binds both ports.
func (s *Server) listen(ctx context.Context) (err error) {
	var config net.ListenConfig
	if s.grpcListener, err = config.Listen(ctx, "tcp", s.cfg.GRPCAddr); err != nil {
		return fmt.Errorf("--grpc-addr: %w", err)
	}
	if s.httpListener, err = config.Listen(ctx, "tcp", s.cfg.HTTPAddr); err != nil {
		return fmt.Errorf("--http-addr: %w", err)
	}
	if err := s.limitConnections(); err != nil {
		return err
	}
	if s.certificate != nil {
		s.grpcListener, s.httpListener = s.certificate.Listener(s.grpcListener), s.certificate.Listener(s.httpListener)
		s.httpListener = tls.NewListener(s.httpListener, s.certificate.TLS("h2", "http/1.1"))
	}
	return nil
}

// Run serves both ports until ctx is done, then lets running calls end within the drain
// timeout. It returns nil after such a stop, else why the server could not go on.
func (s *Server) Run(ctx context.Context) error {
	defer s.auditing(ctx)()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.engine.Run(ctx) })
	group.Go(func() error { return s.routes.Run(ctx) })
	if s.certificate != nil {
		group.Go(func() error { return s.certificate.Run(ctx) })
	}
	if s.shared != nil {
		group.Go(func() error { return s.shared.outbox.Run(ctx) })
	}
	group.Go(func() error {
		if err := s.grpc.Serve(s.grpcListener); err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			return fmt.Errorf("serve gRPC: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if err := s.http.Serve(s.httpListener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
	s.serving.Store(true)
	s.health.Resume()
	for service := range s.grpc.GetServiceInfo() { // probes may ask for one by its name
		s.health.SetServingStatus(service, healthv1.HealthCheckResponse_SERVING)
	}
	// Said when probes are told so already. Port 0 stands for a free one: here is where to read which.
	s.cfg.Logger.InfoContext(ctx, "serving", "grpc", s.GRPCAddr(), "http", s.HTTPAddr(),
		"tls", s.cfg.TLS.enabled(), "data_dir", s.cfg.DataDir)
	close(s.started)
	// Last, so that a stop that is asked for already does not come before the start.
	group.Go(func() error {
		<-ctx.Done()
		return s.drain()
	})
	return group.Wait()
}

// drain ends both servers. Probes are told first, so that nothing new is sent here.
func (s *Server) drain() error {
	s.cfg.Logger.Info("stopping", "drain_delay", s.cfg.DrainDelay, "drain_timeout", s.cfg.DrainTimeout)
	s.serving.Store(false)
	s.health.Shutdown()
	<-time.After(s.cfg.DrainDelay) // calls that are sent here meanwhile are answered
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.DrainTimeout)
	defer cancel()
	s.chain.Stop()
	// What has not ended in time is cut off.
	stopped := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(stopped)
	}()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	select {
	case <-stopped:
	case <-ctx.Done():
		s.grpc.Stop()
		<-stopped
	}
	return err
}
