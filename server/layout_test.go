package server_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module.
const module = "github.com/behalf-authz/behalf/"

// layout says what packages may not import, directly or through others. A rule whose
// packages are gone fails too, so that it is removed with them.
var layout = []struct {
	from   string   // package path within the module; a final "..." covers those below
	refuse []string // prefixes of import paths
	why    string
}{
	{"schema/roles", []string{module, "github.com/authzed/"}, "the catalogue is data"},
	{"gateway/...", []string{module + "server", module + "cmd", "github.com/authzed/spicedb"}, "the gateway knows the contract only"},
	{"server/internal/...", []string{module + "gateway", module + "cmd"}, "doors come last; only the composition root knows them"},
	{"server/internal/fault", []string{module, "google.golang.org/grpc"}, "faults know no transport"},
	{"server/internal/relation", []string{module, "google.golang.org", "github.com/authzed/"}, "a vocabulary"},
	{"server/internal/graph", []string{"google.golang.org", "github.com/authzed/", "database/sql", module + "schema"}, "knows neither SQL nor SpiceDB nor schemas"},
	{"server/internal/walk", []string{"google.golang.org", "github.com/authzed/", "database/sql", module + "schema"}, "knows neither SQL nor SpiceDB"},
	{"server/internal/xacml/...", []string{"google.golang.org/grpc", "github.com/authzed/", "database/sql", module + "schema", "net/http"}, "a pure evaluator"},
	{"server/internal/party", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "domain"},
	{"server/internal/evaluation", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/role", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "domain"},
	{"server/internal/policy", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/register", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/decision", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "domain"},
	{"server/internal/enforce", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "domain"},
	{"server/internal/enforce/expression", []string{module, "google.golang.org", "github.com/", "net"}, "a language, which knows nobody"},
	{"server/internal/rpc/enforcement", []string{"github.com/authzed/spicedb", "database/sql"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/instancepip", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "asks over HTTP, and knows decisions only"},
	{"server/internal/rpc/decision", []string{"github.com/authzed/spicedb", "database/sql"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/information", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/delegation", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/rpc/delegation", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/registry", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/authorized", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "domain"},
	{"server/internal/rpc/registry", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/authorized", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/evaluation", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/audit", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"cmd/behalf/internal/altinnworld", []string{module + "server"}, "a reader of files"},
	{"server/internal/audit", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/records", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "SQL knows no transport"},
	{"server/internal/postgres", []string{module + "schema", "google.golang.org/grpc", "github.com/authzed/"}, "SQL knows no transport and no relations"},
	{"server/internal/outbox", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "knows the graph as what takes updates"},
	{"server/internal/follow", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "SQL knows no transport"},
	{"cmd/behalf", []string{module + "server/testkit"}, "the kit is for tests"},
	{"server/internal/authn", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "credentials know no transport and no store"},
	{"server/internal/authn/...", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/", "database/sql"}, "credentials know no transport and no store"},
	{"server/internal/identity", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "domain"},
	{"server/internal/rpc/identity", []string{"github.com/authzed/spicedb", "database/sql"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/session", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/sqlite", []string{"github.com/authzed/", "google.golang.org/grpc"}, "opens files"},
	{"server/internal/rpc/interceptor", []string{"github.com/authzed/spicedb"}, "builds in seconds"},
	{"server/internal/rpc/party", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/role", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/check", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/register", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/internal/rpc/policy", []string{"github.com/authzed/spicedb"}, "only engine and rpc/authzed know SpiceDB"},
	{"server/policyfile", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "evaluates without a server"},
	{"cmd/behalf/internal/policytest", []string{module + "schema/gen", "google.golang.org/grpc", "github.com/authzed/"}, "tests without a server"},
	{"cmd/behalf/internal/native", []string{module + "server"}, "a reader of files"},
	{"cmd/behalf/internal/brreg", []string{module + "server"}, "a reader of files"},
	{"cmd/behalf/internal/world", []string{module + "server", "google.golang.org/grpc"}, "its oracle never asks the server"},
	{"cmd/behalf/internal/bench", []string{module + "server", "github.com/authzed/spicedb"}, "measures servers from outside, and links none"},
}

func TestLayout(t *testing.T) {
	deps := list(t, "Deps")
	for _, rule := range layout {
		prefix, subtree := strings.CutSuffix(module+rule.from, "/...")
		found := false
		for path, imports := range deps {
			if below := subtree && strings.HasPrefix(path, prefix+"/"); path != prefix && !below {
				continue
			}
			found = true
			for _, refused := range rule.refuse {
				if i := slices.IndexFunc(imports, func(dep string) bool { return strings.HasPrefix(dep, refused) }); i >= 0 {
					t.Errorf("%s imports %s: %s", path, imports[i], rule.why)
				}
			}
		}
		if !found {
			t.Errorf("no package %s: remove its rule", rule.from)
		}
	}
}

// TestOneUserOfSpiceDBsServer holds the rule that package engine embeds SpiceDB and nobody
// else does: others may know its API and its datastore, not how its server is put together.
func TestOneUserOfSpiceDBsServer(t *testing.T) {
	const engine, refused = module + "server/internal/engine", "github.com/authzed/spicedb/pkg/cmd"
	uses := func(imported string) bool { return strings.HasPrefix(imported, refused) }
	imports := list(t, "Imports")
	if !slices.ContainsFunc(imports[engine], uses) {
		t.Errorf("%s no longer imports %s: remove this test, or mend it", engine, refused)
	}
	for path, imported := range imports {
		if i := slices.IndexFunc(imported, uses); i >= 0 && path != engine && !strings.HasPrefix(path, engine+"/") {
			t.Errorf("%s imports %s", path, imported[i])
		}
	}
}

// list returns what the packages of the module import: their Deps or their Imports.
func list(t *testing.T, which string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .`+which+` " "}}`, "../...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	imports := make(map[string][]string)
	for line := range strings.Lines(string(out)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		imports[path] = strings.Fields(rest)
	}
	return imports
}
