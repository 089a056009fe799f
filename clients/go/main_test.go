package behalf_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	behalf "github.com/behalf-authz/behalf/clients/go"
	"github.com/behalf-authz/behalf/clients/go/internal/testserver"
)

// running is the server that all tests ask, and address and token are what reaches it.
var (
	running        *testserver.Server
	address, token string
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		s, err := testserver.Start(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, "start a server:", err)
			return 1
		}
		running, address, token = s, s.Address, s.AdminKey
		code := m.Run()
		if err := s.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the server:", err)
			return 1
		}
		return code
	}())
}

// dial returns a client of an administrator.
func dial(t testing.TB, options ...behalf.Option) *behalf.Client {
	t.Helper()
	c, err := behalf.Dial(address, append([]behalf.Option{behalf.WithToken(token)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}
