package server

import (
	"os"
	"testing"

	"github.com/behalf-authz/behalf/server/testkit/postgres"
)

var pg postgres.Server

// Postgres is the same for the tests from outside.
var Postgres = &pg

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }
