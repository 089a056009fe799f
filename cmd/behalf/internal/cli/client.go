package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/behalf-authz/behalf/server"
)

// defaultDataDir is where a server keeps its data unless it is told otherwise.
const defaultDataDir = "./behalf-data"

// client is how a command reaches a running server.
type client struct {
	address           string
	token             string
	dataDir           string
	tls               bool
	caCert            string
	serverName        string
	clientCert        string
	clientKey         string
	insecurePlaintext bool
}

func (c *client) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.address, "address", server.DefaultGRPCAddr, "the server's gRPC address")
	flags.StringVar(&c.token, "token", "", "token or API key; better as "+envPrefix+"TOKEN, which no process list shows")
	flags.StringVar(&c.dataDir, "data-dir", defaultDataDir, "data directory of a server on this machine, for its admin key when there is no token")
	flags.BoolVar(&c.tls, "tls", false, "speak TLS; always so when the address is not this machine's")
	flags.StringVar(&c.caCert, "ca-cert", "", "PEM certificates to trust in place of the system's; implies --tls")
	flags.StringVar(&c.serverName, "server-name", "", "name that the server's certificate must have, in the place of that in --address; implies --tls")
	flags.StringVar(&c.clientCert, "client-cert", "", "PEM certificate to show to the server; implies --tls")
	flags.StringVar(&c.clientKey, "client-key", "", "PEM private key of --client-cert")
	flags.BoolVar(&c.insecurePlaintext, "insecure-plaintext", false, "send credentials in the clear to another machine")
}

// dial returns a connection that carries the caller's credentials. It does not wait for
// the server.
func (c *client) dial() (*grpc.ClientConn, error) {
	host, _, err := net.SplitHostPort(c.address)
	if err != nil {
		return nil, usagef("--address: %q is not host:port", c.address)
	}
	transport, tlsErr := c.transport(host)
	token, tokenErr := c.bearer(host)
	if err := errors.Join(tlsErr, tokenErr); err != nil {
		return nil, err
	}
	return grpc.NewClient(c.address,
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(bearer(token)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)), // a list may be asked for in one piece
	)
}

// transport is plaintext to this machine, and TLS to any other unless that was refused
// by name.
func (c *client) transport(host string) (credentials.TransportCredentials, error) {
	if !c.secure() && c.mayPlaintext(host) {
		return insecure.NewCredentials(), nil
	}
	config, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(config), nil
}

// secure reports whether TLS was asked for.
func (c *client) secure() bool {
	return c.tls || c.caCert != "" || c.serverName != "" || c.clientCert != "" || c.clientKey != ""
}

// mayPlaintext reports whether credentials may go to a host in the clear.
func (c *client) mayPlaintext(host string) bool { return local(host) || c.insecurePlaintext }

// tlsConfig is whom to trust, and what to show.
func (c *client) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.serverName}
	if c.caCert != "" {
		text, err := os.ReadFile(c.caCert)
		if err != nil {
			return nil, fmt.Errorf("--ca-cert: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--ca-cert: %s holds no PEM certificate", c.caCert)
		}
	}
	if c.clientCert != "" || c.clientKey != "" {
		pair, err := tls.LoadX509KeyPair(c.clientCert, c.clientKey)
		if err != nil {
			return nil, fmt.Errorf("--client-cert, --client-key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// bearer returns the token given, else the admin key of the data directory. That key
// goes to a server on this machine only: the directory says nothing about any other.
func (c *client) bearer(host string) (string, error) {
	if c.token != "" {
		return c.token, nil
	}
	if !local(host) {
		return "", usagef("no token for %s; give one in %sTOKEN or with --token", c.address, envPrefix)
	}
	key, err := server.ReadAdminKey(c.dataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("no token is given, and no server has made its admin key in %s; "+
			"start `behalf serve`, name its directory with --data-dir, or give a token in %sTOKEN", c.dataDir, envPrefix)
	}
	if err != nil {
		return "", fmt.Errorf("read the admin key: %w", err)
	}
	return key, nil
}

func local(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// bearer puts a token into every call. Whether the connection is safe for it has been
// decided where the connection was made.
type bearer string

// GetRequestMetadata returns the header that carries the token.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity reports false, see bearer.
func (b bearer) RequireTransportSecurity() bool { return false }
