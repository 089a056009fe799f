package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/behalf-authz/behalf/server"
)

// TestCertificateRotation replaces the certificate of a server whose clients have a stream and
// connections open: those go on, and new ones see the new certificate. With a wrong key the old
// one holds, until a good one comes; and no server starts with it.
func TestCertificateRotation(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", nil)
	a.issue("other", nil)
	a.issue("client", nil)
	var log lockedBuffer
	cfg := server.Config{
		DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(&log, nil)),
		TLS: server.TLSConfig{CertFile: a.dir + "/server.pem", KeyFile: a.dir + "/server.key", ClientCAFile: a.dir + "/authority.pem"},
	}
	s, _ := running(t, cfg)
	open := openClients(t, s, a.client("client"), cfg.DataDir)
	shown := func() string { // what new connections see at both ports
		var serials []string
		for _, port := range []string{s.GRPCAddr(), s.HTTPAddr()} {
			how := a.client("client")
			how.NextProtos = []string{"h2"}
			conn, err := (&tls.Dialer{Config: how}).DialContext(t.Context(), "tcp", port)
			if err != nil {
				t.Fatal(err)
			}
			serials = append(serials, conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String())
			_ = conn.Close()
		}
		return strings.Join(serials, " ")
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for began := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("%s did not come; the log says\n%s", what, log.String())
			}
		}
	}
	renew := func() string {
		serial := a.replace(t, "server").String()
		return serial + " " + serial
	}
	first := shown()
	open.goOn(t, "before")
	second := renew()
	until("the new certificate", func() bool { return shown() == second })
	open.goOn(t, "after a rotation")

	// A certificate whose key did not come with it.
	wrong, err := os.ReadFile(a.dir + "/other.key")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.TLS.KeyFile, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	until("the metric of a wrong key", func() bool { return strings.Contains(open.metrics(t), "behalf_tls_files_current 0") })
	if got := shown(); got != second || first == second {
		t.Errorf("with a wrong key, clients see %s; want %s", got, second)
	}
	until("the line about a wrong key", func() bool {
		said := log.String()
		return strings.Contains(said, "not taken") && strings.Contains(said, cfg.TLS.KeyFile)
	})
	at := cfg
	at.DataDir = t.TempDir()
	if _, err := server.New(t.Context(), at); err == nil || !strings.Contains(err.Error(), cfg.TLS.KeyFile) {
		t.Errorf("a start with a wrong key: %v", err)
	}
	open.goOn(t, "after a wrong key")

	third := renew()
	until("a certificate after a wrong key", func() bool { return shown() == third })
	open.goOn(t, "at the end")
	until("the metric of good files", func() bool { return strings.Contains(open.metrics(t), "behalf_tls_files_current 1") })
}

// lockedBuffer is a buffer that is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// replace is issue as programs that renew certificates do it: each file comes by a rename.
func (a *authority) replace(t *testing.T, name string) interface{ String() string } {
	t.Helper()
	cert, _ := a.issue(name+".new", nil)
	for _, kind := range []string{".pem", ".key"} {
		if err := os.Rename(a.dir+"/"+name+".new"+kind, a.dir+"/"+name+kind); err != nil {
			t.Fatal(err)
		}
	}
	return cert.SerialNumber
}

// clients are clients that keep their connections: of each port one, and on that of gRPC a stream.
type clients struct {
	admin context.Context //nolint:containedctx // of the calls
	grpc  *grpc.ClientConn
	watch v1.WatchService_WatchClient
	http  *http.Client
	url   string
	dials atomic.Int32
	count int
}

func openClients(t *testing.T, s *server.Server, how *tls.Config, dataDir string) *clients {
	t.Helper()
	key, err := server.ReadAdminKey(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	c := &clients{admin: metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+key), url: "https://" + s.HTTPAddr()}
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		c.dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	c.grpc, err = grpc.NewClient(s.GRPCAddr(), grpc.WithContextDialer(dial), grpc.WithTransportCredentials(credentials.NewTLS(how)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.grpc.Close() })
	before, err := v1.NewSchemaServiceClient(c.grpc).ReadSchema(c.admin, &v1.ReadSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c.watch, err = v1.NewWatchServiceClient(c.grpc).Watch(c.admin, &v1.WatchRequest{OptionalStartCursor: before.GetReadAt()})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig: how.Clone(), ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return dial(ctx, address) },
	}
	c.http = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return c
}

// goOn writes by the connection of the gRPC port what the stream tells, and asks the HTTP port.
func (c *clients) goOn(t *testing.T, when string) {
	t.Helper()
	c.count++
	member := &v1.Relationship{
		Resource: &v1.ObjectReference{ObjectType: "group", ObjectId: "a"}, Relation: "member",
		Subject: &v1.SubjectReference{Object: &v1.ObjectReference{ObjectType: "user", ObjectId: string(rune('0' + c.count))}},
	}
	_, err := v1.NewPermissionsServiceClient(c.grpc).WriteRelationships(c.admin, &v1.WriteRelationshipsRequest{
		Updates: []*v1.RelationshipUpdate{{Operation: v1.RelationshipUpdate_OPERATION_TOUCH, Relationship: member}},
	})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	told, err := c.watch.Recv()
	if err != nil || told.GetUpdates()[0].GetRelationship().GetSubject().GetObject().GetObjectId() != member.GetSubject().GetObject().GetObjectId() {
		t.Fatalf("%s: the stream tells %v, %v", when, told, err)
	}
	c.metrics(t)
	if got := c.dials.Load(); got != 2 {
		t.Errorf("%s: %d connections were made, want 2", when, got)
	}
}

func (c *clients) metrics(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var text bytes.Buffer
	if _, err := io.Copy(&text, resp.Body); err != nil || resp.ProtoMajor != 2 {
		t.Fatalf("HTTP/%d: %v", resp.ProtoMajor, err)
	}
	return text.String()
}
