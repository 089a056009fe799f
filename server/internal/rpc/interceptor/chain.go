package interceptor

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/behalf-authz/behalf/server/internal/authn"
	"github.com/behalf-authz/behalf/server/internal/caller"
	"github.com/behalf-authz/behalf/server/internal/event"
)

// Authenticator establishes who calls.
type Authenticator interface {
	Authenticate(ctx context.Context, s authn.Secret) (caller.Caller, error)
}

// Config is what a Chain needs. Logger, Registerer, Authenticator and Access are required.
type Config struct {
	Logger        *slog.Logger
	Registerer    prometheus.Registerer
	Authenticator Authenticator
	Access        Access
	Limits        Limits
	// Certificates knows who calls with nothing but a client certificate. Nil knows nobody.
	Certificates Certificates
	// Unary and Stream run behind the chain, before the handler. Nil means nothing does.
	Unary  grpc.UnaryServerInterceptor
	Stream grpc.StreamServerInterceptor
	// Endless are the full names of the streams that end only with their clients.
	Endless []string
}

// Chain is the interceptors of a server.
type Chain struct {
	logger        *slog.Logger
	metrics       *metrics
	authenticator Authenticator
	certificates  Certificates
	table         Access
	timeout       time.Duration
	longest       time.Duration
	slots         chan struct{}           // of concurrent unary calls; nil for any number
	meters        *meters                 // nil for any number of calls
	overdrawn     overdrawn               // who was refused by them
	refused       atomic.Pointer[refusal] // the last that was refused early
	unary         grpc.UnaryServerInterceptor
	stream        grpc.StreamServerInterceptor
	endless       map[string]bool
	stopping      chan struct{} // closed by Stop
	parts         []part        // the first outermost
}

// New returns the chain. It registers its metrics.
func New(c Config) (*Chain, error) {
	if c.Logger == nil || c.Registerer == nil || c.Authenticator == nil || c.Access == nil {
		return nil, errors.New("the interceptors need a logger, a registerer, an authenticator and an access table")
	}
	m, err := newMetrics(c.Registerer, c.Access)
	if err != nil {
		return nil, err
	}
	chain := &Chain{
		logger:        c.Logger,
		metrics:       m,
		authenticator: c.Authenticator,
		certificates:  c.Certificates,
		table:         c.Access,
		timeout:       c.Limits.timeout(),
		longest:       c.Limits.Longest,
		slots:         c.Limits.slots(),
		meters:        newMeters(c.Limits),
		unary:         c.Unary,
		stream:        c.Stream,
		endless:       make(map[string]bool),
		stopping:      make(chan struct{}),
	}
	for _, method := range c.Endless {
		chain.endless[method] = true
	}
	chain.parts = []part{
		chain.event,
		chain.recover,
		chain.status,
		chain.authn,
		chain.meter,
		chain.access,
		chain.limit,
		chain.validate,
	}
	return chain, nil
}

// call is one call on its way through the parts.
type call struct {
	method  string // full, as in /behalf.v1.CheckService/Check
	rule    Rule   // of the method; closed when it has none
	known   bool   // whether the method has a rule
	message any    // of a unary call; nil for streams, whose messages come later
	stream  bool
	account account // whose call it is; the zero account when nobody's rate counts it
	event   *event.Event
	header  func(key, value string) // sets a header of the answer

	parts  []part                      // that it has not come to
	onward func(context.Context) error // takes it on to the next of them
	handle func(context.Context) error // ends it
}

// part is one part of the chain. It calls next, or refuses the call by returning an error.
type part func(ctx context.Context, c *call, next func(context.Context) error) error

// run takes a call through all parts, and has handle end it.
func (c *Chain) run(ctx context.Context, k *call, handle func(context.Context) error) error {
	k.parts, k.handle = c.parts, handle
	k.onward = k.next // made once: a function for each part would be most of what they cost
	return k.next(ctx)
}

// next takes the call on. No part has it do so twice.
func (k *call) next(ctx context.Context) error {
	if len(k.parts) == 0 {
		return k.handle(ctx)
	}
	first := k.parts[0]
	k.parts = k.parts[1:]
	return first(ctx, k, k.onward)
}

func (c *Chain) newCall(method string) *call {
	rule, known := c.table[method]
	return &call{method: method, rule: rule, known: known, event: new(event.Event)}
}

// Unary returns the chain for unary calls.
func (c *Chain) Unary() grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		k := c.newCall(info.FullMethod)
		k.message = request
		k.header = setUnaryHeader(ctx)
		var response any
		err := c.run(ctx, k, func(ctx context.Context) (err error) {
			if c.unary != nil {
				response, err = c.unary(ctx, request, info, handler)
			} else {
				response, err = handler(ctx, request)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return response, nil
	}
}

// Stream returns the chain for streams.
func (c *Chain) Stream() grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		k := c.newCall(info.FullMethod)
		k.stream = true
		k.header = setStreamHeader(stream)
		return c.run(stream.Context(), k, func(ctx context.Context) error {
			return c.untilStop(ctx, info.FullMethod, func(ctx context.Context) error {
				inner := &serverStream{ServerStream: stream, ctx: ctx}
				if c.stream != nil {
					return c.stream(server, inner, info, handler)
				}
				return handler(server, inner)
			})
		})
	}
}

// serverStream is a stream whose messages are checked and whose context is the chain's.
type serverStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // grpc.ServerStream hands out its context by a method
}

// Context returns the context that the parts made.
func (s *serverStream) Context() context.Context { return s.ctx }

// RecvMsg receives a message and checks it.
func (s *serverStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return check(message)
}
