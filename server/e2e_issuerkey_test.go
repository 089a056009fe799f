package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/behalf-authz/behalf/server"
)

// issuerKey returns a new key as a file of keys has it.
func issuerKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// published returns the ids of the keys by which services verify a server's tokens.
func (s *altinnServer) published(t *testing.T) []string {
	t.Helper()
	_, text := s.get(t, http.MethodGet, "/.well-known/jwks.json", "")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.KeyID)
	}
	return ids
}

// TestServersShareTheIssuersKey has servers of one database take each other's tokens by a file of
// keys, and none start beside others that could not verify what it signs.
func TestServersShareTheIssuersKey(t *testing.T) {
	uri := server.Postgres.Database(t)
	old, renewed := issuerKey(t), issuerKey(t)
	config := func(keys ...string) server.Config {
		return server.Config{DataDir: t.TempDir(), Datastore: uri, Migrate: true, IssuerKeyFile: file(t, "issuer.key", strings.Join(keys, ""))}
	}
	first := config(old)
	a, b := startAltinnServerWith(t, first), startAltinnServerWith(t, config(old, renewed))
	if at, beside := a.published(t), b.published(t); len(at) != 1 || len(beside) != 2 || at[0] != beside[0] {
		t.Errorf("they publish %v and %v", at, beside)
	}
	token := func(keys server.Config) string {
		t.Helper()
		text, err := server.SignTokenWith(keys.IssuerKeyFile, server.UserClaims(20000490, 50002598, 3), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + text
	}
	takes := func(s *altinnServer, credentials string, want int) {
		t.Helper()
		if got, body := s.get(t, http.MethodGet, "/v1/caller", credentials); got != want {
			t.Errorf("%d %s, want %d", got, body, want)
		}
	}
	takes(a, token(first), http.StatusOK)
	takes(b, token(first), http.StatusOK)
	takes(b, token(config(renewed)), http.StatusOK) // which signs nothing yet
	takes(a, token(config(renewed)), http.StatusUnauthorized)
	for _, s := range []*altinnServer{a, b} {
		if _, err := os.Stat(filepath.Join(s.dataDir, "issuer.key")); !os.IsNotExist(err) {
			t.Errorf("a key of its own: %v", err)
		}
	}

	for what, cfg := range map[string]server.Config{"another key": config(renewed), "a key first that not all have": config(renewed, old)} {
		_, err := server.New(t.Context(), onFreePorts(cfg))
		if err == nil || !strings.Contains(err.Error(), "--issuer-key: "+cfg.IssuerKeyFile) {
			t.Errorf("%s: %v", what, err)
		}
	}
	a.stop()
	c := startAltinnServerWith(t, config(renewed, old))
	takes(c, token(first), http.StatusOK)
	takes(c, token(config(renewed)), http.StatusOK)

	// Without a file it signs with its own, and says that nobody else takes it.
	var log bytes.Buffer
	alone := config()
	alone.IssuerKeyFile, alone.Logger = "", slog.New(slog.NewTextHandler(&log, nil))
	d := startAltinnServerWith(t, alone)
	if at := d.published(t); len(at) != 1 || slices.Contains(c.published(t), at[0]) {
		t.Errorf("it publishes %v", at)
	}
	takes(d, token(first), http.StatusUnauthorized)
	d.stop()
	if !strings.Contains(log.String(), "--issuer-key") {
		t.Errorf("the log says %s", &log)
	}
}

func onFreePorts(cfg server.Config) server.Config {
	cfg.GRPCAddr, cfg.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
	return cfg
}
