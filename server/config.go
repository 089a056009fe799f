package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/behalf-authz/behalf/gateway/authzen"
	"github.com/behalf-authz/behalf/server/internal/certificate"
	"github.com/behalf-authz/behalf/server/internal/postgres"
)

// Default addresses. They are loopback, so that a first start opens nothing to a network.
const (
	DefaultGRPCAddr = "127.0.0.1:7400"
	DefaultHTTPAddr = "127.0.0.1:7480"
)

// DatastoreSQLite names the database that is a file in the data directory.
const DatastoreSQLite = "sqlite"

// databaseName is the name of the database's file in the data directory.
const databaseName = "behalf.db"

// Config is what a server needs to start. Its zero value listens on the default
// addresses and keeps its keys and data in ./behalf-data.
type Config struct {
	// DataDir holds the server's keys and its database. It is made when it does not exist,
	// and one server can have it open. Default ./behalf-data.
	DataDir string
	// Datastore is where relations and records are: DatastoreSQLite, a file in DataDir, or
	// the postgres:// URI of a database, which servers may share. Default DatastoreSQLite.
	Datastore string
	// Migrate brings the tables of a Postgres database to this release. A file is always.
	Migrate bool
	// MaxStaleness is how old an answer from a Postgres database may be to who brings no
	// revision. 0 sees every write that was acknowledged, by whichever server.
	MaxStaleness time.Duration
	// History is how long ended relationships and old revisions are kept. 0 keeps them all.
	History time.Duration
	// Loading is told how many relationships of how many a start has loaded. May be nil.
	Loading func(loaded, total int)
	// GRPCAddr is host:port of the gRPC port; port 0 picks a free one. Default 127.0.0.1:7400.
	GRPCAddr string
	// HTTPAddr is host:port of the HTTP port; port 0 picks a free one. Default 127.0.0.1:7480.
	HTTPAddr string
	// TLS secures both ports. An address that is not loopback needs it.
	TLS TLSConfig
	// InsecurePlaintext allows an address that is not loopback without TLS, for a server
	// behind a proxy that ends TLS on the same trusted network.
	InsecurePlaintext bool
	// MaxCalls is how many unary calls may be in hand at once; more are refused at once, so
	// that those in hand end in time. Health checks are not counted. 0 means any number.
	MaxCalls int
	// Limits say what callers may take besides.
	Limits LimitsConfig
	// PublicURL is the https URL by which clients know the server, without a path. AuthZEN's
	// metadata say it; without it there are none.
	PublicURL string
	// Compat names ways in which the server does as Altinn does: CompatAltinn, or some of
	// the others. Default none.
	Compat []string
	// DecisionPeers are the networks whose clients may ask for decisions at Altinn's path
	// without credentials. Default none.
	DecisionPeers []netip.Prefix
	// InstancePIP is the URL of the system that knows instances of apps. Default: those on record.
	InstancePIP string
	// InstancePIPTokenFile holds a bearer token for it. It is read at the start.
	InstancePIPTokenFile string
	// Audit says what is recorded of decisions.
	Audit AuditConfig
	// Enforcement says which requests API gateways may let pass.
	Enforcement EnforcementConfig
	// Login says whose word is taken for who somebody is.
	Login LoginConfig
	// IssuerKeyFile holds the keys of the server's own tokens, for servers that share a database:
	// it signs with the first, and takes what any of them has signed. Default: issuer.key in the
	// data directory, which the server makes.
	IssuerKeyFile string
	// Logger takes the server's log. Default: discard.
	Logger *slog.Logger
	// DrainDelay is how long the server goes on serving after a stop was asked for, while its
	// probes say already that it is not ready: as long as load balancers take to learn of it.
	DrainDelay time.Duration
	// DrainTimeout is how long running calls may take to end after that. Default 15 s.
	DrainTimeout time.Duration
}

// TLSConfig names the files of a server's certificate. The zero value means plaintext. They are
// read again when they change.
type TLSConfig struct {
	CertFile     string // PEM certificate chain
	KeyFile      string // PEM private key
	ClientCAFile string // PEM certificates; when given, clients must present one they signed
}

// enabled reports whether any of the files is named.
func (c TLSConfig) enabled() bool { return c != TLSConfig{} }

func (c TLSConfig) files() certificate.Files {
	return certificate.Files{Cert: c.CertFile, Key: c.KeyFile, ClientCA: c.ClientCAFile}
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	if c.DataDir == "" {
		c.DataDir = "behalf-data"
	}
	if c.Datastore == "" {
		c.Datastore = DatastoreSQLite
	}
	if c.GRPCAddr == "" {
		c.GRPCAddr = DefaultGRPCAddr
	}
	if c.HTTPAddr == "" {
		c.HTTPAddr = DefaultHTTPAddr
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 15 * time.Second
	}
	return c
}

// Validate returns every fault of c joined, nil when there is none.
func (c Config) Validate() error {
	c = c.withDefaults()
	faults := []error{
		c.validateAddr("--grpc-addr", c.GRPCAddr),
		c.validateAddr("--http-addr", c.HTTPAddr),
		c.validateDatastore(),
		c.validateCompat(),
		c.validateInstancePIP(),
		c.Login.Validate(),
		c.validateIssuerKey(),
		c.Enforcement.Validate(),
		c.validatePublicURL(),
		c.Audit.Validate(),
		c.Limits.Validate(),
	}
	if c.MaxStaleness < 0 {
		faults = append(faults, fmt.Errorf("--max-staleness: %s is negative", c.MaxStaleness))
	}
	if c.History < 0 {
		faults = append(faults, fmt.Errorf("--history: %s is negative", c.History))
	}
	if c.MaxCalls < 0 {
		faults = append(faults, fmt.Errorf("--max-calls: %d is negative", c.MaxCalls))
	}
	if c.DrainDelay < 0 {
		faults = append(faults, fmt.Errorf("--drain-delay: %s is negative", c.DrainDelay))
	}
	if c.DrainTimeout < 0 {
		faults = append(faults, fmt.Errorf("--drain-timeout: %s is negative", c.DrainTimeout))
	}
	if c.TLS.enabled() {
		faults = append(faults, certificate.Check(c.TLS.files()))
	}
	return errors.Join(faults...)
}

func (c Config) validatePublicURL() error {
	if c.PublicURL == "" {
		return nil
	}
	if err := authzen.ValidatePublicURL(c.PublicURL); err != nil {
		return fmt.Errorf("--public-url: %w", err)
	}
	return nil
}

// validateDatastore refuses what is neither a file nor Postgres. It does not repeat what it
// refuses: a URI may hold a password.
func (c Config) validateDatastore() error {
	if c.Datastore == DatastoreSQLite || postgres.Is(c.Datastore) {
		return nil
	}
	scheme, _, found := strings.Cut(c.Datastore, "://")
	if !found {
		scheme = "this"
	}
	return fmt.Errorf("--datastore: %s is not supported; there are %s and postgres://user@host/database", scheme, DatastoreSQLite)
}

// validateAddr refuses to speak plaintext to a network unless that was asked for by name.
func (c Config) validateAddr(flag, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: %q is not host:port", flag, addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: the port of %q is not a number from 0 to 65535", flag, addr)
	}
	if loopback(host) || c.TLS.enabled() || c.InsecurePlaintext {
		return nil
	}
	return fmt.Errorf("%s: %q is not a loopback address: give --tls-cert and --tls-key, or --insecure-plaintext behind a proxy that ends TLS", flag, addr)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
