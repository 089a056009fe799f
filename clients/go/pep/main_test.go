package pep_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
)

// running is the server that all tests ask, and client asks it as an administrator.
var (
	running *testserver.Server
	client  *behalf.Client
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		s, err := testserver.Start(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, "start a server:", err)
			return 1
		}
		running = s
		if client, err = behalf.Dial(s.Address, behalf.WithToken(s.AdminKey)); err != nil {
			fmt.Fprintln(os.Stderr, "dial:", err)
			return 1
		}
		code := m.Run()
		_ = client.Close()
		if err := s.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			return 1
		}
		return code
	}())
}

// tokenOf returns the token of kari, who manages the bakery, or of ola, who does not.
func tokenOf(t testing.TB, name string, level int) string {
	t.Helper()
	user, party := int64(testserver.KariUser), int64(testserver.KariParty)
	if name == "ola" {
		user, party = testserver.OlaUser, testserver.OlaParty
	}
	token, err := running.Token(user, party, level)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// away returns a client whose server is not there.
func away(t testing.TB) *behalf.Client {
	t.Helper()
	c, err := behalf.Dial("127.0.0.1:1", behalf.WithToken("x"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
