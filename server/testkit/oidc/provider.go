package oidc

import (
	"bufio"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

//go:embed provider.mjs package.json package-lock.json
var program embed.FS

// Client is a client that the provider knows.
type Client struct {
	ID              string   `json:"client_id"`
	Secret          string   `json:"client_secret,omitempty"`
	Redirects       []string `json:"redirect_uris"`
	AfterLogout     []string `json:"post_logout_redirect_uris"`
	BackChannel     string   `json:"backchannel_logout_uri,omitempty"`
	BackChannelSID  bool     `json:"backchannel_logout_session_required"`
	Grants          []string `json:"grant_types"`
	ResponseTypes   []string `json:"response_types"`
	TokenAuthMethod string   `json:"token_endpoint_auth_method"`
	Keys            any      `json:"jwks,omitempty"` // public, of private_key_jwt
}

// Provider is a running OpenID provider.
type Provider struct{ Issuer string }

// The ports that Port takes from: below those that Linux, macOS and Windows give to who names none.
const (
	firstPort = 20_000
	ports     = 12_000
)

// Port returns a port of this machine that is free, and stays so until somebody names it:
// the system gives it to nobody who lets it choose, as the tests beside this one do all the time.
func Port(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(ports) //nolint:gosec // a port is no secret
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// Start starts a provider whose access tokens last ttl. It stops with the test.
func Start(t *testing.T, port int, ttl time.Duration, clients ...Client) *Provider {
	t.Helper()
	return StartBehind(t, fmt.Sprintf("http://127.0.0.1:%d", port), port, ttl, clients...)
}

// StartBehind is Start for a provider that others reach at its issuer through something that
// the test puts there, which hands on the Host header.
func StartBehind(t *testing.T, issuer string, port int, ttl time.Duration, clients ...Client) *Provider {
	t.Helper()
	dir := Install(t, program)
	options, err := json.Marshal(map[string]any{"clients": clients, "port": port, "issuer": issuer, "ttl": int(ttl / time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "provider.mjs", string(options)) //nolint:gosec // our own program
	cmd.Dir, cmd.Stderr = dir, io.Discard
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "serving") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &Provider{Issuer: issuer}
		}
	}
	t.Fatal("the OpenID provider does not start")
	return nil
}

// Count returns how often the token endpoint was asked for a grant.
func (p *Provider) Count(t *testing.T, grant string) int {
	t.Helper()
	answer, err := http.Get(p.Issuer + "/count")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var counts map[string]int
	if err := json.NewDecoder(answer.Body).Decode(&counts); err != nil {
		t.Fatal(err)
	}
	return counts[grant]
}
