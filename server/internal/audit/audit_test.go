package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/behalf-authz/behalf/server/internal/audit"
	"github.com/behalf-authz/behalf/server/internal/decision"
	"github.com/behalf-authz/behalf/server/internal/fault"
	"github.com/behalf-authz/behalf/server/internal/party"
	"github.com/behalf-authz/behalf/server/internal/xacml"
)

// open opens a log that syncs until the test's end.
func open(t testing.TB, c audit.Config) *audit.Log {
	t.Helper()
	if c.Table == "" {
		c.Table = filepath.Join(t.TempDir(), "audit.db")
	}
	l, err := audit.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, l.Close()); err != nil && !t.Failed() {
			t.Log(err)
		}
	})
	return l
}

// record is the record of a decision.
func record(user party.UserID, resource string, d xacml.Decision) decision.Record {
	return decision.Record{
		Time: time.Now(), Door: decision.Native, Origin: decision.Origin{Caller: "service/pep", Address: "192.0.2.7:4711"},
		Subject: decision.Subject{User: user}, Resource: decision.Resource{ID: resource, Party: 50076451}, Action: "read",
		Decision: d, Status: xacml.StatusOK, By: decision.ByPolicy, Reason: "the policy permits it", Policy: "abc", Revision: "7",
		Latency: 42 * time.Microsecond,
		Request: &xacml.Request{Categories: []xacml.Attributes{{Category: xacml.SubjectCategory, Attributes: []xacml.Attribute{
			{ID: "urn:altinn:userid", Values: []xacml.AttributeValue{xacml.StringValue(fmt.Sprint(user))}},
			{ID: "urn:altinn:rolecode", Values: []xacml.AttributeValue{xacml.StringValue("dagl"), xacml.StringValue("regna")}},
		}}}},
	}
}

func put(t testing.TB, l *audit.Log, records ...decision.Record) {
	t.Helper()
	if err := l.Record(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func TestSearch(t *testing.T) {
	l := open(t, audit.Config{})
	began := time.Now()
	put(t, l, record(1, "a", xacml.Permit), record(1, "b", xacml.Deny))
	middle := time.Now()
	put(t, l, record(2, "a", xacml.NotApplicable))
	if err := l.Put(t.Context(), audit.Entry{Kind: audit.Check, User: 2, Action: "represent", Decision: "Permit"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    audit.Filter
		want string
	}{
		"all, the latest first": {audit.Filter{}, "2:check 2:a 1:b 1:a"},
		"the oldest first":      {audit.Filter{Oldest: true}, "1:a 1:b 2:a 2:check"},
		"of a user":             {audit.Filter{User: 1}, "1:b 1:a"},
		"about a party":         {audit.Filter{Party: 50076451}, "2:a 1:b 1:a"},
		"about another":         {audit.Filter{Party: 1}, ""},
		"about a resource":      {audit.Filter{Resource: "a"}, "2:a 1:a"},
		"by decision":           {audit.Filter{Decision: "Deny"}, "1:b"},
		"by action":             {audit.Filter{Action: "represent"}, "2:check"},
		"by kind":               {audit.Filter{Kind: audit.Decision, User: 2}, "2:a"},
		"from":                  {audit.Filter{From: middle}, "2:check 2:a"},
		"until":                 {audit.Filter{From: began, Until: middle}, "1:b 1:a"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, page := range []int{1, 2, 10} {
				if got := search(t, l, c.f, page); got != c.want {
					t.Errorf("pages of %d: %q, want %q", page, got, c.want)
				}
			}
		})
	}
}

// search returns what a filter finds, page by page.
func search(t *testing.T, l *audit.Log, f audit.Filter, page int) string {
	t.Helper()
	var all []string
	for more := true; more; {
		var found []audit.Entry
		var err error
		if found, more, err = l.Search(t.Context(), f, page); err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			what := e.Resource
			if e.Kind != audit.Decision {
				what = string(e.Kind)
			}
			all = append(all, fmt.Sprintf("%d:%s", e.User, what))
			f.After, _ = audit.ParseMark(e.ID)
		}
	}
	return strings.Join(all, " ")
}

func TestWhatIsRecorded(t *testing.T) {
	var out bytes.Buffer
	l := open(t, audit.Config{Sinks: []string{audit.Records, audit.Stdout}, Stdout: &out})
	put(t, l, record(7, "a", xacml.Permit))
	found, _, err := l.Search(t.Context(), audit.Filter{}, 10)
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	var written audit.Entry
	if err := json.Unmarshal(out.Bytes(), &written); err != nil {
		t.Fatal(err)
	}
	want := audit.Entry{
		Time: written.Time, Kind: audit.Decision, Door: "native", Caller: "service/pep", Address: "192.0.2.7:4711", User: 7,
		Resource: "a", Party: 50076451, Action: "read", Decision: "Permit", Status: "urn:oasis:names:tc:xacml:1.0:status:ok", By: "policy",
		Reason: "the policy permits it", Policy: "abc", Revision: "7", Microseconds: 42,
		Attributes: []audit.Attribute{
			{Category: "subject", ID: "urn:altinn:userid", Values: []string{"7"}},
			{Category: "subject", ID: "urn:altinn:rolecode", Values: []string{"dagl", "regna"}},
		},
	}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Error(diff)
	}
	found[0].ID = ""
	if diff := cmp.Diff(written, found[0]); diff != "" {
		t.Error(diff)
	}
	if since := time.Since(written.Time); since < 0 || since > time.Minute {
		t.Errorf("recorded %s ago", since)
	}
}

// TestNoNationalIdentityNumbers puts one, which was made up, into every place that others
// fill.
func TestNoNationalIdentityNumbers(t *testing.T) {
	const number = "07124912037"
	for _, format := range []string{audit.Native, audit.Altinn} {
		var out bytes.Buffer
		l := open(t, audit.Config{Sinks: []string{audit.Records, audit.Stdout}, Stdout: &out, Format: format})
		r := record(7, "person-"+number, xacml.Permit)
		r.Reason, r.Session, r.Action = "nothing is known of "+number+".", number, number
		r.Resource.Type, r.Resource.Instance = number, "1/"+number
		r.Origin.Forwarded, r.Origin.RequestID = number, number
		r.Request.Categories = append(r.Request.Categories, xacml.Attributes{Category: xacml.ResourceCategory, Attributes: []xacml.Attribute{
			{ID: "urn:altinn:person:identifier-no", Values: []xacml.AttributeValue{xacml.StringValue("12345")}},
			{ID: "urn:altinn:ssn", Values: []xacml.AttributeValue{xacml.StringValue(number)}},
			{ID: "urn:behalf:subject:note", Values: []xacml.AttributeValue{xacml.StringValue("x" + number), xacml.StringValue("07124912038")}},
		}})
		put(t, l, r)
		if text := out.String(); strings.Contains(text, number) || strings.Contains(text, "12345\"") || strings.Count(text, "[hidden]") < 6 {
			t.Errorf("%s: %s", format, text)
		}
		if text := out.String(); !strings.Contains(text, "07124912038") {
			t.Errorf("%s: a number with wrong control digits was hidden: %s", format, text)
		}
		for _, file := range tableFiles(t, l) {
			if bytes.Contains(file, []byte(number)) {
				t.Errorf("%s: the table has the number", format)
			}
		}
	}
}

// tableFiles returns all that the table has, as JSON.
func tableFiles(t *testing.T, l *audit.Log) [][]byte {
	t.Helper()
	found, _, err := l.Search(t.Context(), audit.Filter{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, e := range found {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	return all
}

// TestTogether has many record at once; each finds its record taken when it returns.
func TestTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	for _, synced := range []bool{false, true} {
		l := open(t, audit.Config{Sinks: []string{audit.Records, audit.File}, File: path, Sync: synced})
		var all sync.WaitGroup
		for user := range 64 {
			all.Go(func() {
				for range 5 {
					if err := l.Record(t.Context(), []decision.Record{record(party.UserID(user+1), "a", xacml.Permit)}); err != nil {
						t.Error(err)
					}
				}
				if found, _, err := l.Search(t.Context(), audit.Filter{User: int64(user + 1)}, 10); err != nil || len(found) != 5 {
					t.Errorf("user %d has %d records, %v", user+1, len(found), err)
				}
			})
		}
		all.Wait()
	}
	if n := len(lines(t, path)); n != 2*64*5 {
		t.Errorf("%d lines", n)
	}
}

// lines returns the records of a file. Each line must be one.
func lines(t *testing.T, path string) []audit.Entry {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []audit.Entry
	for line := range bytes.Lines(text) {
		var e audit.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("line %d: %v: %q", len(all)+1, err, line)
		}
		all = append(all, e)
	}
	return all
}

func TestRetention(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.db")
	l, err := audit.Open(t.Context(), audit.Config{Table: path, Retention: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	many := make([]decision.Record, 2500)
	for i := range many {
		many[i] = record(1, "a", xacml.Permit)
	}
	put(t, l, many...)
	if n, err := l.Prune(t.Context()); n != 2500 || err != nil {
		t.Errorf("%d removed, %v", n, err)
	}
	if found, _, err := l.Search(t.Context(), audit.Filter{}, 10); len(found) != 0 || err != nil {
		t.Errorf("%d are left, %v", len(found), err)
	}
}

func TestNothingToSearch(t *testing.T) {
	for name, l := range map[string]*audit.Log{"none": open(t, audit.Config{Sinks: []string{audit.None}}), "nil": nil} {
		if err := l.Record(t.Context(), []decision.Record{record(1, "a", xacml.Permit)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := l.Search(t.Context(), audit.Filter{}, 1); fault.KindOf(err) != fault.Precondition {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfig(t *testing.T) {
	for want, c := range map[string]audit.Config{
		"no sink":          {Sinks: []string{"kafka"}},
		"no other":         {Sinks: []string{audit.None, audit.Records}},
		"--audit-file":     {Sinks: []string{audit.File}},
		"give both":        {File: "x"},
		"not native":       {Format: "cef"},
		"is negative":      {Retention: -1},
		"open the audit s": {Sinks: []string{audit.File}, File: filepath.Join(t.TempDir(), "no", "such")},
	} {
		l, err := audit.Open(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), want) || l != nil {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
