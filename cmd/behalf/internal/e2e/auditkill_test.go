package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// auditKilled says to the process of a server, which is killed, what its data directory is.
const auditKilled = "BEHALF_E2E_AUDIT_KILLED"

// TestAuditOutlivesTheServer kills a server in the middle of decisions, and finds a record of
// every one that had left it.
func TestAuditOutlivesTheServer(t *testing.T) {
	if dir := os.Getenv(auditKilled); dir != "" {
		i := startServer(t, server.Config{DataDir: dir, Audit: server.AuditConfig{
			Sinks: []string{"records", "file"}, File: filepath.Join(dir, "audit.jsonl"),
		}})
		loadDemo(t, i)
		policy := filepath.Join(t.TempDir(), "policy.xml")
		if err := os.WriteFile(policy, []byte(taxPolicy(taxPolicySubject, "DAGL", "read")), 0o600); err != nil {
			t.Fatal(err)
		}
		i.run(t, "policy", "put", "--app", "skd/tax", policy)
		fmt.Println("address", i.address)
		<-t.Context().Done() // it is killed before
		return
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAuditOutlivesTheServer$")
	cmd.Env = append(os.Environ(), auditKilled+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	for said := bufio.NewScanner(out); address == "" && said.Scan(); {
		address, _ = strings.CutPrefix(said.Text(), "address ")
		if address == said.Text() {
			t.Log(address)
			address = ""
		}
	}
	left := decideUntilKilled(t, dir, address, cmd)
	_ = cmd.Wait() // it was killed
	if len(left) == 0 {
		t.Fatal("no decision had left the server")
	}
	table := recordedIDs(t, run(t, "audit", "--limit", "0", "--output", "json", "--data-dir", dir, "--address", "127.0.0.1:1"))
	file := recordedIDs(t, string(readFile(t, filepath.Join(dir, "audit.jsonl"))))
	for _, id := range left {
		if !table[id] || !file[id] {
			t.Errorf("%s: in the table %t, in the file %t", id, table[id], file[id])
		}
	}
	t.Logf("%d decisions had left; the table has %d records, the file %d", len(left), len(table), len(file))
}

// decideUntilKilled asks from several goroutines, kills the server when a thousand answers
// have come, and returns the request ids of those that came.
func decideUntilKilled(t *testing.T, dir, address string, cmd *exec.Cmd) []string {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	admin, err := server.ReadAdminKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var left []string
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(as(t.Context(), admin), 5*time.Minute)
	defer cancel()
	question := &behalfv1.DecideRequest{Question: taxQuestion(20010001, "tax", "read")}
	for worker := range 8 {
		all.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("w%d-%d", worker, n)
				answer, err := behalfv1.NewDecisionServiceClient(conn).Decide(metadata.AppendToOutgoingContext(ctx, "x-request-id", id), question)
				if err != nil {
					return
				}
				if effect := answer.GetDecision().GetEffect(); effect != behalfv1.Effect_EFFECT_PERMIT {
					t.Errorf("%s: %s", id, effect)
				}
				mu.Lock()
				left = append(left, id)
				if len(left) == 1000 {
					_ = cmd.Process.Kill() // SIGKILL
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return left
}

// recordedIDs returns the request ids of the records in lines of JSON. The last line may be
// the beginning of one.
func recordedIDs(t *testing.T, text string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for line := range strings.Lines(text) {
		var r struct{ RequestID string }
		if err := json.Unmarshal([]byte(line), &r); err == nil && strings.HasSuffix(line, "\n") {
			ids[r.RequestID] = true
		}
	}
	return ids
}
