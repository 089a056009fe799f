package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
	"github.com/behalf-authz/behalf/server"
)

// TestDecisionCorpus sends the requests of the corpus, each with the policies of its case,
// to a running server that was loaded by commands, and holds the answers against those
// expected. Then it asks the same in other ways, which must answer the same.
func TestDecisionCorpus(t *testing.T) {
	w := startDecisionWorld(t)
	for _, c := range w.cases(t) {
		t.Run(c.name, func(t *testing.T) {
			for _, p := range c.Policies {
				w.run(t, append(policyPut(p.ServedFor, c.name), filepath.Join(c.dir, p.File))...)
			}
			body := readBare(t, filepath.Join(c.dir, "request."+c.Format))
			status, answer := w.post(t, c.Endpoint, "application/"+c.Format, body, c.headers(t, w))
			if status != http.StatusOK {
				t.Fatalf("status %d: %s", status, answer)
			}
			got := results(t, c.Format, answer)
			want := results(t, c.Format, readBare(t, filepath.Join(c.dir, "expected."+c.Format)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, answer)
			}
			w.askOtherwise(t, c, body, got)
		})
	}
}

// askOtherwise asks a question of the corpus in the other form, over gRPC and in process.
func (w *decisionWorld) askOtherwise(t *testing.T, c decisionCase, body []byte, want []decisionResult) {
	t.Helper()
	ctx := as(t.Context(), w.admin)
	door := behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION
	if strings.HasSuffix(c.Endpoint, "/authorize") {
		door = behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_AUTHORIZE
		ctx = as(t.Context(), w.sign(t, c.Token.Claims))
	}
	asked := map[string][]byte{c.Format: body}
	if door == behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION {
		asked[otherForm(c.Format)] = translate(t, c.Format, body)
		status, answer := w.post(t, c.Endpoint, "application/"+otherForm(c.Format), asked[otherForm(c.Format)], nil)
		if diff := cmp.Diff(want, results(t, otherForm(c.Format), answer)); status != http.StatusOK || diff != "" {
			t.Errorf("over HTTP in %s: status %d (-%s +%s):\n%s", otherForm(c.Format), status, c.Format, otherForm(c.Format), diff)
		}
	}
	for name, conn := range map[string]grpc.ClientConnInterface{"over gRPC": w.conn, "in process": w.inproc} {
		for form, body := range asked {
			answer, err := behalfv1.NewDecisionServiceClient(conn).DecideXACML(ctx, &behalfv1.DecideXACMLRequest{
				Body: body, ContentType: "application/" + form, Door: door,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, results(t, form, answer.GetBody())); diff != "" {
				t.Errorf("%s in %s (-HTTP +%s):\n%s", name, form, name, diff)
			}
		}
	}
	if door == behalfv1.DecisionDoor_DECISION_DOOR_ALTINN_DECISION {
		answer, err := behalfv1.NewDecisionServiceClient(w.conn).BulkDecide(ctx, &behalfv1.BulkDecideRequest{Questions: questions(t, c.Format, body)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, native(answer.GetDecisions())); diff != "" {
			t.Errorf("natively (-HTTP +natively):\n%s", diff)
		}
	}
}

// decisionWorld is a server with the corpus' world.
type decisionWorld struct {
	*instance
	dir string
}

func startDecisionWorld(t *testing.T) *decisionWorld {
	t.Helper()
	dir := filepath.Join(conformance(t), "pdp")
	data := t.TempDir()
	i := startServer(t, server.Config{DataDir: data, Datastore: datastoreOf(t, data), Compat: []string{server.CompatAltinn}})
	i.run(t, "import", "--format", "altinn-world", filepath.Join(dir, "world"))
	return &decisionWorld{i, dir}
}

// conformance returns the folder of the cases that others wrote, or skips the test.
func conformance(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BEHALF_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance cases in %s: set BEHALF_CONFORMANCE to their folder", dir)
	}
	return dir
}

// decisionCase is a case of the corpus.
type decisionCase struct {
	name, dir        string
	Endpoint, Format string
	Token            *struct{ Claims map[string]any }
	XForwardedFor    string
	Policies         []struct{ File, ServedFor string }
}

func (w *decisionWorld) cases(t *testing.T) []decisionCase {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(w.dir, "cases", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases in %s: %v", w.dir, err)
	}
	cases := make([]decisionCase, len(dirs))
	for i, dir := range dirs {
		cases[i] = decisionCase{name: filepath.Base(dir), dir: dir}
		readJSON(t, filepath.Join(dir, "case.json"), &cases[i])
		_, cases[i].Endpoint, _ = strings.Cut(cases[i].Endpoint, " ")
	}
	return cases
}

// headers returns what a case's client sends.
func (c *decisionCase) headers(t *testing.T, w *decisionWorld) map[string]string {
	t.Helper()
	headers := map[string]string{}
	if c.XForwardedFor != "" {
		headers["X-Forwarded-For"] = c.XForwardedFor
	}
	if c.Token != nil {
		headers["Authorization"] = "Bearer " + w.sign(t, c.Token.Claims)
	}
	return headers
}

func (w *decisionWorld) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	token, err := server.SignToken(w.dataDir, claims, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// policyPut returns the command that puts a case's policy. Two cases say only that the
// policy is the one that the request is about.
func policyPut(servedFor, name string) []string {
	switch {
	case strings.HasPrefix(servedFor, "(") && strings.Contains(name, "AltinnApps"):
		return []string{"policy", "put", "--app", "ttd/oedformuesfullmakt"}
	case strings.HasPrefix(servedFor, "("):
		return []string{"policy", "put", "--resource", "oed-role-formuesfullmakt"}
	case strings.Contains(servedFor, "/"):
		return []string{"policy", "put", "--app", servedFor}
	}
	return []string{"policy", "put", "--resource", servedFor}
}

// post sends a body and returns status and answer.
func (i *instance) post(t testing.TB, path, contentType string, body []byte, headers map[string]string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}
