package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/behalf-authz/behalf/server"
)

// TestConfigValidate goes through what a server refuses to start with. Every fault is told,
// by the name of its flag.
func TestConfigValidate(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "none.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config server.Config
		want   []string
	}{
		{"defaults", server.Config{}, nil},
		{"loopback", server.Config{GRPCAddr: "localhost:0", HTTPAddr: "[::1]:65535"}, nil},
		{"all addresses", server.Config{GRPCAddr: ":7400", HTTPAddr: "0.0.0.0:7480"}, []string{"--grpc-addr", "--http-addr"}},
		{"a host by name", server.Config{HTTPAddr: "behalf.example:7480"}, []string{"--http-addr"}},
		{"plaintext by name", server.Config{GRPCAddr: ":7400", HTTPAddr: "[::]:7480", InsecurePlaintext: true}, nil},
		{"no port", server.Config{GRPCAddr: "127.0.0.1", HTTPAddr: "127.0.0.1:"}, []string{"--grpc-addr", "--http-addr"}},
		{"no such port", server.Config{GRPCAddr: "127.0.0.1:65536", HTTPAddr: "127.0.0.1:-1"}, []string{"--grpc-addr", "--http-addr"}},
		{"half a certificate", server.Config{TLS: server.TLSConfig{CertFile: noPEM}}, []string{"--tls-key"}},
		{"a client's authority alone", server.Config{TLS: server.TLSConfig{ClientCAFile: noPEM}}, []string{"--tls-client-ca"}},
		{"no certificate", server.Config{TLS: server.TLSConfig{CertFile: noPEM, KeyFile: noPEM}}, []string{"--tls-cert"}},
		{"no key of the issuer", server.Config{IssuerKeyFile: noPEM}, []string{"--issuer-key"}},
		{"postgres", server.Config{Datastore: "postgres://behalf:geheim@db/behalf"}, nil},
		{"another engine", server.Config{Datastore: "mysql://behalf:geheim@db/behalf"}, []string{"--datastore: mysql is", "sqlite and postgres://"}},
		{"no engine", server.Config{Datastore: "geheim"}, []string{"--datastore: this is", "sqlite and postgres://"}},
		{"several", server.Config{GRPCAddr: "x", HTTPAddr: ":1", DrainDelay: -1, DrainTimeout: -1, TLS: server.TLSConfig{KeyFile: "k"}},
			[]string{"--grpc-addr", "--drain-delay", "--drain-timeout", "--tls-cert"}},
	} {
		err := c.config.Validate()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: the error tells the password: %v", c.name, err)
		}
		for _, flag := range c.want {
			if !strings.Contains(err.Error(), flag) {
				t.Errorf("%s: %s is not named in %v", c.name, flag, err)
			}
		}
	}
}
