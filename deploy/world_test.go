package deploy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// The register: Kari manages Fjellheim, which has a sub-unit, and has nothing to do with Vik.
const (
	kari      = 20000490
	kariParty = 50002598
	kariPID   = "07124912037"
	fjellheim = 50076451
	unit      = 50074838
	vik       = 50090001
)

const uuid = "6f0b1d3e-2a55-4c07-9f4e-52a0c8b1d0"

// routes are what the gateways' requests are judged by. Function may says the same.
const routes = `routes:
  - {name: open, methods: ["*"], path: "/open/**", rule: {public: true}}
  - {name: admin, methods: ["*"], path: "/open/admin/**", rule: {groups: [admin]}}
  - {name: me, methods: [GET, POST], path: /me, rule: {authenticated: true}}
  - {name: docs, methods: [GET], path: "/docs/**", rule: {authenticated: true}}
  - {name: for, methods: [GET, POST], path: "/for/{partyId}/**", party: {parameter: partyId}, rule: {authenticated: true}}
  - {name: act, methods: [GET], path: /act, party: {}, rule: {authenticated: true}}
  - {name: other, host: other.example.com, methods: [GET], path: /x, rule: {public: true}}
`

// world is a running Behalf with a register.
type world struct {
	grpc, http string // addresses
	register   behalfv1.RegisterServiceClient
	admin      context.Context //nolint:containedctx // of the register's writes
	kari       string          // a bearer token
}

// startWorld runs Behalf until the test ends. Browsers know it by publicURL.
func startWorld(t *testing.T, publicURL, issuersFile string) *world {
	t.Helper()
	dir := t.TempDir()
	cfg := server.Config{
		DataDir: filepath.Join(dir, "data"), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", PublicURL: publicURL,
		Enforcement: server.EnforcementConfig{
			RoutesFile: write(t, dir, "routes.yaml", routes), TrustedPeers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
		Login: server.LoginConfig{IssuersFile: issuersFile},
	}
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(sync.OnceFunc(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}))
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := server.ReadAdminKey(cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	token, err := server.SignToken(cfg.DataDir, server.UserClaims(kari, kariParty, 3), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		grpc: s.GRPCAddr(), http: s.HTTPAddr(), register: behalfv1.NewRegisterServiceClient(s.Conn()),
		admin: metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+key), kari: token,
	}
	w.load(t)
	return w
}

// load writes the register.
func (w *world) load(t *testing.T) {
	t.Helper()
	for _, p := range []*behalfv1.PartyRecord{
		{PartyId: kariParty, PartyUuid: uuid + "01", Kind: behalfv1.PartyKind_PARTY_KIND_PERSON, Name: "KARI BØRSTAD", NationalId: kariPID, UserId: kari, Login: true},
		{PartyId: fjellheim, PartyUuid: uuid + "02", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "FJELLHEIM OG STRAND", OrgNumber: "910042963", UnitType: "AS"},
		{PartyId: unit, PartyUuid: uuid + "03", Kind: behalfv1.PartyKind_PARTY_KIND_SUB_UNIT, Name: "ÅSEN OG TÅRNÅSEN", OrgNumber: "910042971", UnitType: "BEDR", MainUnit: "party:50076451"},
		{PartyId: vik, PartyUuid: uuid + "04", Kind: behalfv1.PartyKind_PARTY_KIND_ORGANISATION, Name: "VIK VERKSTED", OrgNumber: "910090011", UnitType: "AS"},
	} {
		if _, err := w.register.PutParty(w.admin, &behalfv1.PutPartyRequest{Source: "test", Party: p}); err != nil {
			t.Fatalf("put party %d: %v", p.GetPartyId(), err)
		}
	}
	if _, err := w.register.PutAssignment(w.admin, &behalfv1.PutAssignmentRequest{Source: "test", Assignment: managing()}); err != nil {
		t.Fatalf("put Kari's role: %v", err)
	}
}

// managing is Kari's role.
func managing() *behalfv1.AssignmentRecord {
	return &behalfv1.AssignmentRecord{From: "party:50076451", Role: "DAGL", To: "party:50002598"}
}

// identity is a certificate of 127.0.0.1 and of behalf, and its files.
type identity struct {
	certificate *x509.Certificate
	cert, key   string
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"behalf"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return identity{
		certificate,
		write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))),
	}
}

// write writes a file and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
