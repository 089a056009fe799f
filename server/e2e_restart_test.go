package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// TestRestart stops a server and starts another one in its data directory: register, keys
// and revisions are as they were, and can be written on.
func TestRestart(t *testing.T) {
	s := startAltinnServer(t)
	s.loadSmallRegister()
	reader := s.apiKey(t, "reader", "behalf:parties.read")
	answer, err := s.register.PutAssignment(s.admin(), &behalfv1.PutAssignmentRequest{
		Source: "test", Assignment: &behalfv1.AssignmentRecord{From: "party:50074839", Role: "LEDE", To: "party:50002598"},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := s.registerSeen(t)
	other, err := server.New(t.Context(), server.Config{DataDir: s.dataDir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err == nil {
		_ = other.Close()
		t.Fatal("two servers have one data directory")
	}
	if !strings.Contains(err.Error(), s.dataDir) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the second server says %q", err)
	}
	s.stop()

	s = startAltinnServerIn(t, s.dataDir)
	if after := s.registerSeen(t); after != before {
		t.Errorf("after the restart: %s\nbefore: %s", after, before)
	}
	for _, request := range []string{"GET /v1/parties/50074839", "GET /v1/parties/50074839/representatives?atLeastAsFresh=" + answer.GetRevision()} {
		if status, body := s.call(t, request, "", reader); status != http.StatusOK {
			t.Errorf("%s with a key and a revision from before: %d %s", request, status, body)
		}
	}
	if _, err := s.register.DeleteAssignment(s.admin(), &behalfv1.DeleteAssignmentRequest{
		Source: "test", Assignment: &behalfv1.AssignmentRecord{From: "party:50074839", Role: "LEDE", To: "party:50002598"},
	}); err != nil {
		t.Errorf("take back what was put before the restart: %v", err)
	}
	if s.registerSeen(t) == before {
		t.Error("a write after the restart is not seen")
	}
}

func TestSpoiltDatabaseStopsTheStart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "behalf.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database. ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), server.Config{DataDir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err == nil {
		_ = s.Close()
		t.Fatal("the server starts")
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("it says %q, which does not name the file", err)
	}
}
