package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server"
)

func TestAltinnConformance(t *testing.T) {
	dir := conformance(t)
	files, err := filepath.Glob(filepath.Join(dir, "rest", "*", "case.json"))
	if err != nil {
		t.Fatal(err)
	}
	s := startAltinnServer(t)
	loaded, ran := map[string]bool{}, 0
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		if !strings.HasPrefix(name, "parties-") && !strings.HasPrefix(name, "roles-") {
			continue
		}
		ran++
		var c struct {
			Method, Path string
			Token        *struct{ Claims map[string]any }
			World        struct{ AuthorizedParties string }
			Expect       map[string]any
		}
		readJSON(t, file, &c)
		if world := c.World.AuthorizedParties; world != "" && !loaded[world] {
			loaded[world] = true
			user := strings.TrimSuffix(filepath.Base(world), ".json")
			s.loadAuthorizedParties(filepath.Join(filepath.Dir(file), world), user)
		}
		for _, carrier := range carriers {
			credentials := ""
			if c.Token != nil {
				credentials = carrier + s.token(t, c.Token.Claims)
			}
			status, body := s.get(t, c.Method, c.Path, credentials)
			if want, _ := c.Expect["status"].(float64); status != int(want) {
				t.Errorf("%s by %q: status %d, want %v; body %s", name, carrier, status, want, body)
			}
			want, given := c.Expect["body"]
			switch {
			case given && want == nil && body != "":
				t.Errorf("%s by %q: body %s, want none", name, carrier, body)
			case given && want != nil && sortedJSON(t, body) != marshalSorted(t, want):
				t.Errorf("%s by %q: body %s, want %v", name, carrier, body, want)
			}
		}
	}
	if ran < 5 {
		t.Errorf("%d cases ran, want at least 5", ran)
	}
}

func TestAltinnPaths(t *testing.T) {
	s := startAltinnServer(t)
	s.loadSmallRegister()
	t.Run("golden bodies", s.goldenBodies)
	t.Run("statuses", s.statuses)
	t.Run("pages", s.pages)
	t.Run("operations", s.operations)
}

// goldenBodies compares whole bodies, byte for byte once their keys are sorted.
func (s *altinnServer) goldenBodies(t *testing.T) {
	token := s.token(t, server.UserClaims(20000490, 50002598, 3))
	const api = "/authorization/api/v1"
	for name, target := range map[string]string{
		"parties":         "/parties?userid=20000490",
		"parties-search":  "/parties?userid=20000490&search=910042963",
		"validate-true":   "/parties/50074838/validate?userid=20000490",                // a sub-unit of a represented main unit
		"validate-false":  "/parties/50090007/validate?userid=20000490",                // a sub-unit beside a represented one
		"roles-inherited": "/roles?coveredByUserId=20000490&offeredByPartyId=50074838", // of the main unit, with what they imply
		"roles-key-role":  "/roles?coveredByUserId=20000490&offeredByPartyId=50090006", // of the firm that keeps the books
		"roles-own":       "/roles?coveredByUserId=20000490&offeredByPartyId=50002598",
		"roles-direct":    "/roles?coveredByUserId=20000490&offeredByPartyId=50090002",
	} {
		for _, carrier := range carriers {
			status, body := s.get(t, http.MethodGet, api+target, carrier+token)
			if status != http.StatusOK {
				t.Errorf("%s by %q: status %d %s", name, carrier, status, body)
				continue
			}
			want, err := os.ReadFile(filepath.Join("testdata", "altinn", name+".golden.json"))
			if err != nil {
				t.Errorf("%v\nbody %s", err, body)
				continue
			}
			if diff := cmp.Diff(sortedJSON(t, string(want)), sortedJSON(t, body)); diff != "" {
				t.Errorf("%s by %q (-want +got):\n%s", name, carrier, diff)
			}
		}
	}
}

// statuses goes through every row of the status tables, in the order in which they are decided.
func (s *altinnServer) statuses(t *testing.T) {
	kari := s.token(t, server.UserClaims(20000490, 50002598, 3))
	nobody := s.token(t, server.UserClaims(20009999, 0, 3))
	expired := s.token(t, map[string]any{"urn:altinn:userid": 20000490, "exp": time.Now().Add(-time.Minute).Unix()})
	for _, row := range []struct {
		target, token string
		want          int
	}{
		{"/parties?userid=20000490", "", 401},
		{"/parties?userid=20000490", expired, 401},
		{"/parties?userid=20000490", kari + "x", 401},
		{"/parties?userid=abc", kari, 400},
		{"/parties", kari, 404},
		{"/parties?userid=0", kari, 404},
		{"/parties?userid=20000491", kari, 403},
		{"/parties?userid=20000490", s.adminKey, 403},
		{"/parties?userid=20009999", nobody, 404},
		{"/parties?USERID=20000490", kari, 200},
		{"/parties?userid=20000490&role=NOPE", kari, 400},
		{"/parties?userid=20000490&cursor=nope", kari, 400},
		{"/parties/50076451/validate?userid=20000490", "", 401},
		{"/parties/abc/validate?userid=20000490", kari, 400},
		{"/parties/50076451/validate", kari, 404},
		{"/parties/0/validate?userid=20000490", kari, 404},
		{"/parties/50076451/validate?userid=20000491", kari, 403},
		{"/parties/50076451/validate?userid=20000490", s.adminKey, 403},
		{"/parties/50076451/validate?userid=20009999", nobody, 200},
		{"/roles?coveredByUserId=20000490&offeredByPartyId=50076451", "", 401},
		{"/roles?coveredByUserId=x", kari, 400},
		{"/roles", kari, 403},
		{"/roles?coveredByUserId=20000491", kari, 403},
		{"/roles?coveredByUserId=20000490", kari, 400},
		{"/roles?coveredByUserId=20000490&offeredByPartyId=0", kari, 400},
		{"/roles?coveredByUserId=20000490&offeredByPartyId=50090001", kari, 404},
		{"/roles?coveredByUserId=20000490&offeredByPartyId=1337", kari, 404},
		{"/roles?coveredByUserId=20000490&offeredByPartyId=50076451", kari, 200},
	} {
		for _, carrier := range carriers {
			credentials := ""
			if row.token != "" {
				credentials = carrier + row.token
			}
			if got, body := s.get(t, http.MethodGet, "/authorization/api/v1"+row.target, credentials); got != row.want {
				t.Errorf("%s by %q: status %d, want %d; body %s", row.target, carrier, got, row.want, body)
			}
		}
	}
}

// pages follows the Link headers of a paged list to its end, and finds the unpaged list.
func (s *altinnServer) pages(t *testing.T) {
	credentials := carriers[0] + s.token(t, server.UserClaims(20000490, 50002598, 3))
	read := func(target string) (parties []map[string]any, header http.Header) {
		status, body, header := s.send(t, http.MethodGet, target, credentials)
		if status != http.StatusOK || header.Get("X-Total-Count") != "7" {
			t.Fatalf("%s: status %d, headers %v, body %s", target, status, header, body)
		}
		if err := json.Unmarshal([]byte(body), &parties); err != nil {
			t.Fatal(err)
		}
		return parties, header
	}
	for _, query := range []string{"", "&sort=number"} {
		all, _ := read("/authorization/api/v1/parties?userid=20000490" + query)
		var paged []map[string]any
		next := "/authorization/api/v1/parties?userid=20000490&limit=2" + query
		for next != "" && len(paged) <= len(all) {
			page, header := read(next)
			paged = append(paged, page...)
			next, _, _ = strings.Cut(strings.TrimPrefix(header.Get("Link"), "<"), ">")
		}
		if diff := cmp.Diff(all, paged); diff != "" {
			t.Errorf("pages%s (-unpaged +paged):\n%s", query, diff)
		}
	}
}

// operations asks the routes that have no caller.
func (s *altinnServer) operations(t *testing.T) {
	for _, path := range []string{"/health", "/livez", "/readyz", "/metrics", "/openapi.json", "/.well-known/jwks.json"} {
		if got, body := s.get(t, http.MethodGet, path, ""); got != http.StatusOK {
			t.Errorf("%s: status %d, body %.300s", path, got, body)
		}
	}
}
