package instancepip_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/instancepip"
)

const id = "1000/26133fb5-a9f2-45d4-90b1-f6d93ad40713"

// storage is the other system: each answer once, the last one again and again.
func storage(t *testing.T, answers ...string) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/instances/"+id+"/process/authinfo" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		n := min(int(asked.Add(1)), len(answers))
		var status int
		var body string
		if _, err := fmt.Sscanf(answers[n-1], "%d %s", &status, &body); err != nil {
			status = 0
		}
		switch status {
		case 0:
			<-r.Context().Done()
		case http.StatusFound:
			http.Redirect(w, r, "/instances/elsewhere", status)
		default:
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/instances/", asked
}

func source(t *testing.T, url string, now func() time.Time) *instancepip.Source {
	t.Helper()
	s, err := instancepip.New(instancepip.Config{URL: url, Timeout: 100 * time.Millisecond, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswers(t *testing.T) {
	const good = `200 {"appId":"skd/taxreport","process":{"currentTask":{"elementId":"Task_1"}}}`
	task := decision.Instance{ID: id, Org: "skd", App: "taxreport", Task: "Task_1", Party: 1000}
	for name, row := range map[string]struct {
		answers []string
		want    decision.Instance
		found   bool
		fails   bool
		asked   int64
	}{
		"found":               {[]string{good}, task, true, false, 1},
		"ended":               {[]string{`200 {"appId":"skd/taxreport","process":{"endEvent":"End_1"}}`}, decision.Instance{ID: id, Org: "skd", App: "taxreport", EndEvent: "End_1", Party: 1000}, true, false, 1},
		"unknown":             {[]string{"404 -"}, decision.Instance{}, false, false, 1},
		"found at second try": {[]string{"503 -", good}, task, true, false, 2},
		"failing":             {[]string{"503 -"}, decision.Instance{}, false, true, 3},
		"forbidden":           {[]string{"403 -"}, decision.Instance{}, false, true, 1},
		"redirecting":         {[]string{"302 -"}, decision.Instance{}, false, true, 1},
		"not JSON":            {[]string{"200 <html>"}, decision.Instance{}, false, true, 1},
		"without app":         {[]string{"200 {}"}, decision.Instance{}, false, true, 1},
		"too slow":            {[]string{"hangs"}, decision.Instance{}, false, true, 3},
	} {
		url, asked := storage(t, row.answers...)
		got, found, err := source(t, url, nil).Instance(t.Context(), id)
		if got != row.want || found != row.found || (err != nil) != row.fails || asked.Load() != row.asked {
			t.Errorf("%s: %+v, %v, %v after %d requests", name, got, found, err, asked.Load())
		}
		if f, ok := errors.AsType[*fault.Error](err); row.fails && (!ok || f.Reason != instancepip.ReasonUnreachable) {
			t.Errorf("%s: %v is not the fault that it should be", name, err)
		}
	}
}

// TestRest says that a system that keeps failing is left alone, and asked again later.
func TestRest(t *testing.T) {
	url, asked := storage(t, "500 -")
	now := time.Now()
	s := source(t, url, func() time.Time { return now })
	ask := func() {
		if _, _, err := s.Instance(t.Context(), id); err == nil {
			t.Fatal("an answer came from nowhere")
		}
	}
	for range 5 {
		ask()
	}
	before := asked.Load()
	ask()
	if asked.Load() != before {
		t.Error("it was asked while it rests")
	}
	now = now.Add(11 * time.Second)
	ask()
	if asked.Load() == before {
		t.Error("it was not asked again")
	}
	before = asked.Load()
	ask()
	if asked.Load() != before {
		t.Error("one failed probe did not end the calls")
	}
}

func TestConfig(t *testing.T) {
	for _, url := range []string{"", "storage", "ftp://x/", "https://", "https://x/?y=1"} {
		if _, err := instancepip.New(instancepip.Config{URL: url}); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
}
