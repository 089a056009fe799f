package server_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	v1 "github.com/authzed/authzed-go/proto/authzed/api/v1"

	"github.com/behalf-authz/behalf/server"
)

// TestClientsAuthorityGoes takes an authority away from those that sign clients' certificates: who
// has one of it is cut off at both ports, in the midst of a stream, and not let in again. Others go on.
func TestClientsAuthorityGoes(t *testing.T) {
	stays, goes := newAuthority(t), newAuthority(t)
	stays.issue("server", nil)
	stays.issue("client", nil)
	goes.issue("client", nil)
	known := filepath.Join(t.TempDir(), "clients.pem")
	know := func(authorities ...*authority) {
		t.Helper()
		var text []byte
		for _, a := range authorities {
			pem, err := os.ReadFile(a.dir + "/authority.pem")
			if err != nil {
				t.Fatal(err)
			}
			text = slices.Concat(text, pem)
		}
		if err := os.WriteFile(known, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	know(goes, stays)
	cfg := server.Config{
		DataDir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Limits: server.LimitsConfig{Connections: 100},
		TLS: server.TLSConfig{CertFile: stays.dir + "/server.pem", KeyFile: stays.dir + "/server.key", ClientCAFile: known},
	}
	s, _ := running(t, cfg)
	kept := openClients(t, s, stays.client("client"), cfg.DataDir)
	kept.goOn(t, "before")
	how := goes.client("client")
	how.RootCAs = stays.client("client").RootCAs
	cut := openClients(t, s, how, cfg.DataDir)
	cut.metrics(t)

	know(stays)
	ends := make(chan error, 1)
	go func() {
		_, err := cut.watch.Recv()
		ends <- err
	}()
	select {
	case err := <-ends:
		if err == nil {
			t.Fatal("the stream tells of what nobody has written")
		}
	case <-time.After(time.Minute):
		t.Fatal("a stream goes on whose client has a certificate of an authority that has gone")
	}
	for name, ask := range map[string]func() error{
		"gRPC": func() error {
			_, err := v1.NewSchemaServiceClient(cut.grpc).ReadSchema(cut.admin, &v1.ReadSchemaRequest{})
			return err
		},
		"HTTP": func() error {
			resp, err := cut.http.Get(cut.url + "/livez")
			if err == nil {
				_ = resp.Body.Close()
			}
			return err
		},
	} {
		for began := time.Now(); ask() == nil; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > time.Minute {
				t.Fatalf("%s: who has a certificate of an authority that has gone is answered", name)
			}
		}
	}
	kept.goOn(t, "after")
	if got := cut.dials.Load(); got <= 2 {
		t.Errorf("who was cut off connected %d times in all", got)
	}
}
