package behalf_test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	behalf "github.com/behalf-authz/behalf/clients/go"
)

const (
	module   = "github.com/behalf-authz/behalf/"
	contract = module + "schema/gen/go/behalf/v1"
)

// TestDependencies holds what a program takes in with a client: the standard library, gRPC,
// protobuf, the generated contract, and what the contract itself needs. A package that is no
// longer needed fails too, so that the list stays short.
func TestDependencies(t *testing.T) {
	needed := map[string]bool{ // prefixes of import paths
		contract:                                     false,
		"google.golang.org/grpc":                     false,
		"google.golang.org/protobuf":                 false,
		"google.golang.org/genproto/":                false, // gRPC's status details
		"golang.org/x/net/":                          false, // gRPC's
		"golang.org/x/sys/":                          false, // gRPC's
		"golang.org/x/text/":                         false, // gRPC's
		"github.com/grpc-ecosystem/grpc-gateway/v2/": false, // the contract's
		"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/": false, // the contract's
	}
	watching := map[string]bool{ // SpiceDB's contract, and what that needs
		"github.com/authzed/authzed-go/proto":        false,
		"github.com/envoyproxy/protoc-gen-validate/": false,
		"github.com/planetscale/vtprotobuf/":         false,
	}
	for _, client := range []string{module + "clients/go", module + "clients/go/pep", module + "clients/go/watch"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", client).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for _, path := range strings.Fields(string(out)) {
			if path == module+"clients/go" || path == client {
				continue
			}
			found := within(needed, path)
			if strings.HasSuffix(client, "/watch") {
				found = within(watching, path) || found
			}
			if !found {
				t.Errorf("%s takes in %s", client, path)
			}
		}
	}
	maps.Copy(needed, watching)
	for prefix, used := range needed {
		if !used {
			t.Errorf("nothing needs %s any more: remove it from the list", prefix)
		}
	}
}

// within reports whether one of the prefixes is that of an import path, and marks it as used.
func within(prefixes map[string]bool, path string) bool {
	found := false
	for prefix := range prefixes {
		if path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/") {
			found, prefixes[prefix] = true, true
		}
	}
	return found
}

// TestReasons compares the reasons with those that the server gives.
func TestReasons(t *testing.T) {
	text, err := os.ReadFile("../../server/internal/fault/reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`Reason = ("[A-Z_]+")`).FindAllStringSubmatch(string(text), -1)
	if len(reasons) < 10 || !strings.Contains(string(ours), string(behalf.ReasonPartyNotFound)) {
		t.Fatalf("%d reasons read", len(reasons))
	}
	for _, reason := range reasons {
		if !strings.Contains(string(ours), "Reason = "+reason[1]) {
			t.Errorf("no name for %s", reason[1])
		}
	}
}
