package authzed_test

import (
	"os"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }
