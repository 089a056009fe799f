package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/spf13/cobra"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/jsonlog"
	"github.com/behalf-authz/behalf/server"
)

// serveCommand is `behalf serve`.
type serveCommand struct {
	Terminal
	config    server.Config
	demo      bool
	peers     []string
	trusted   []string
	logFormat string
	logLevel  slog.Level
}

func newServe(t Terminal) *cobra.Command {
	c := &serveCommand{Terminal: t}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until it is told to stop, then let running calls end. No flag is needed to try it. It
listens on this machine only; an address that others can reach needs a certificate, or --insecure-plaintext.`,
		Example: `  behalf serve --demo
  behalf serve --data-dir /var/lib/behalf --grpc-addr :7400 --http-addr :7480 --tls-cert chain.pem --tls-key key.pem`,
		Args:    arguments(0, 0, "none"),
		PreRunE: c.validate,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&c.demo, "demo", false, "load a small invented register into a fresh data directory, and print questions to ask")
	flags.StringVar(&c.config.DataDir, "data-dir", defaultDataDir, "directory of the server's keys and data; made at the first start")
	flags.StringVar(&c.config.Datastore, "datastore", server.DatastoreSQLite,
		"where relations and records are: sqlite, in the data directory, or postgres://user@host/database, which servers may share")
	flags.BoolVar(&c.config.Migrate, "migrate", false, "bring the tables of a Postgres database to this release before serving")
	flags.DurationVar(&c.config.MaxStaleness, "max-staleness", 0,
		"how old an answer from a Postgres database may be to who brings no revision; 0 asks the database each time")
	flags.DurationVar(&c.config.History, "history", 90*24*time.Hour, "how long ended relationships and old revisions are kept; 0 keeps all")
	flags.StringVar(&c.config.GRPCAddr, "grpc-addr", server.DefaultGRPCAddr, "address of the gRPC port")
	flags.StringVar(&c.config.HTTPAddr, "http-addr", server.DefaultHTTPAddr, "address of the HTTP port")
	flags.StringVar(&c.config.TLS.CertFile, "tls-cert", "", "PEM certificate chain of both ports; read again when it changes")
	flags.StringVar(&c.config.TLS.KeyFile, "tls-key", "", "PEM private key of --tls-cert; read again when it changes")
	flags.StringVar(&c.config.TLS.ClientCAFile, "tls-client-ca", "", "PEM certificates that clients' certificates must be signed by; read again when they change")
	flags.BoolVar(&c.config.InsecurePlaintext, "insecure-plaintext", false, "allow addresses that others can reach without TLS")
	flags.DurationVar(&c.config.DrainDelay, "drain-delay", 0, "how long to go on serving after a stop, with /readyz saying no, so that load balancers learn of it")
	flags.DurationVar(&c.config.DrainTimeout, "drain-timeout", 15*time.Second, "how long running calls may take to end after that")
	flags.IntVar(&c.config.MaxCalls, "max-calls", 0, "how many calls may be in hand at once before more are refused; 0 means any number")
	bindLimits(flags, &c.config.Limits)
	flags.StringVar(&c.config.PublicURL, "public-url", "",
		"https URL by which clients know the server, such as https://pdp.example.com; AuthZEN's metadata need it")
	flags.StringSliceVar(&c.config.Compat, "compat", nil,
		"do as Altinn does: altinn, or some of altinn-anyof, altinn-upload, altinn-open-decision; separated by commas")
	flags.StringSliceVar(&c.peers, "decision-peers", nil,
		"networks, such as 10.1.0.0/16, whose clients may ask for decisions at Altinn's path without credentials")
	flags.StringVar(&c.config.InstancePIP, "instance-pip", "",
		"URL of the system that knows instances of apps, as Altinn's storage answers; without it those on record count")
	flags.StringVar(&c.config.InstancePIPTokenFile, "instance-pip-token-file", "", "file with a bearer token for --instance-pip")
	flags.StringVar(&c.config.Enforcement.RoutesFile, "routes", "",
		"YAML file of the routes that API gateways may let pass, and whom, or Mia-Platform's auth.json; read again when it changes")
	flags.StringSliceVar(&c.trusted, "trusted-peers", nil,
		"networks, such as 10.2.0.0/16, of the API gateways that are believed when they tell of a request")
	flags.StringSliceVar(&c.config.Enforcement.TrustedCertificates, "trusted-certificates", nil,
		"DNS names and URIs, in certificates that --tls-client-ca has verified, of API gateways that are believed too")
	bindAudit(flags, &c.config.Audit)
	flags.StringVar(&c.config.Login.IssuersFile, "issuers", "",
		"YAML file of the identity providers whose tokens and logins are accepted, and what each is believed for")
	flags.StringVar(&c.config.Login.SessionKeysFile, "session-keys", "",
		"file of the keys that seal sessions, for servers that share a database; without it session.keys in --data-dir")
	flags.StringVar(&c.config.IssuerKeyFile, "issuer-key", "",
		"file of the keys of the server's own tokens, of which the first signs, for servers that share a database; without it issuer.key in --data-dir")
	flags.StringVar(&c.logFormat, "log-format", "text", "text, or json for programs, with durations in seconds")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	return cmd
}

func (c *serveCommand) run(ctx context.Context) error {
	c.config.Logger = c.logger()
	limitMemory(c.config.Logger, os.LookupEnv, memlimit.FromCgroup)
	defer keepHeapGoal(os.LookupEnv)()
	if bar := newProgress(c.Err); bar.terminal { // a log that is read by others has lines only
		c.config.Loading = func(loaded, total int) {
			bar.show("loading", int64(loaded), int64(total))
			if loaded >= total {
				bar.end()
			}
		}
	}
	server.RouteLogs(c.config.Logger)
	if c.demo {
		return c.runDemo(ctx)
	}
	s, err := server.New(ctx, c.config)
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx), s.Close())
}

func (c *serveCommand) validate(cmd *cobra.Command, _ []string) error {
	err := c.config.Validate()
	for _, text := range c.peers {
		network, bad := netip.ParsePrefix(text)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("--decision-peers: %q is not a network such as 10.1.0.0/16", text))
			continue
		}
		c.config.DecisionPeers = append(c.config.DecisionPeers, network)
	}
	for _, text := range c.trusted {
		network, bad := netip.ParsePrefix(text)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("--trusted-peers: %q is not a network such as 10.2.0.0/16", text))
			continue
		}
		c.config.Enforcement.TrustedPeers = append(c.config.Enforcement.TrustedPeers, network)
	}
	if c.demo && cmd.Flags().Changed("data-dir") {
		err = errors.Join(err, errors.New("--demo: makes a data directory of its own; leave --data-dir out"))
	}
	if c.demo && c.config.IssuerKeyFile != "" {
		err = errors.Join(err, errors.New("--demo: prints tokens of a key of its own; leave --issuer-key out"))
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		err = errors.Join(err, fmt.Errorf("--log-format: %q is not text or json", c.logFormat))
	}
	if err != nil {
		return usage(err)
	}
	return nil
}

func (c *serveCommand) logger() *slog.Logger {
	if c.logFormat == "json" {
		return slog.New(jsonlog.New(c.Err, c.logLevel))
	}
	return slog.New(slog.NewTextHandler(c.Err, &slog.HandlerOptions{Level: c.logLevel}))
}
