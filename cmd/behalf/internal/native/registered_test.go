package native_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/behalf-authz/behalf/cmd/behalf/internal/native"
	behalfv1 "github.com/behalf-authz/behalf/schema/gen/go/behalf/v1"
)

// What is written of the registry's records is read back as it was.
func TestRegisteredRoundTrip(t *testing.T) {
	const text = `{"kind":"header","format":"behalf/v1","source":"x"}
{"kind":"system-user","uuid":"47caea5b-a80b-4343-b1d3-31eb523a4e28","owner":"org:910042963","type":"agent","name":"Payroll"}
{"kind":"access-list","owner":"ttd","identifier":"banks","name":"Banks","description":"All.","members":[{"party":"org:910042963","since":"2024-08-27T15:15:55.446051Z"},{"party":"party:1"}],"resources":[{"id":"loan","actions":["read","write"]},{"id":"account"}]}
{"kind":"resource","id":"loan","owner":"ttd","ownerNumber":"991825827","type":"GenericAccessResource","title":"Loans","accessListMode":"enabled"}
{"kind":"resource","id":"account"}
`
	read := func(text string) []*behalfv1.ImportEntry {
		t.Helper()
		r, err := native.NewReader(strings.NewReader(text), "x", "")
		if err != nil {
			t.Fatal(err)
		}
		var entries []*behalfv1.ImportEntry
		for {
			e, err := r.Next()
			if err != nil {
				return entries
			}
			if u := e.GetUnreadable(); u != nil {
				t.Fatalf("line %d is unreadable: %v", e.GetLine(), u)
			}
			entries = append(entries, e)
		}
	}
	entries := read(text)
	var written bytes.Buffer
	w, err := native.NewWriter(&written, "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(text, written.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(entries, read(written.String()), protocmp.Transform()); diff != "" || len(entries) != 4 {
		t.Errorf("%d entries: %s", len(entries), diff)
	}
}

func TestRegisteredFaults(t *testing.T) {
	for line, field := range map[string]string{
		`{"kind":"system-user","uuid":"x","owner":"org:910042963"}`:                                             "uuid",
		`{"kind":"system-user","uuid":"47caea5b-a80b-4343-b1d3-31eb523a4e28","owner":"me"}`:                     "owner",
		`{"kind":"system-user","uuid":"47caea5b-a80b-4343-b1d3-31eb523a4e28","owner":"party:1","type":"robot"}`: "type",
		`{"kind":"system-user","uuid":"47caea5b-a80b-4343-b1d3-31eb523a4e28","owner":"party:1","age":3}`:        "age",
		`{"kind":"access-list","owner":"ttd","identifier":"a b"}`:                                               "identifier",
		`{"kind":"access-list","owner":"ttd","identifier":"a","members":["party:1"]}`:                           "members",
		`{"kind":"access-list","owner":"ttd","identifier":"a","members":[{"party":"me"}]}`:                      "members",
		`{"kind":"access-list","owner":"ttd","identifier":"a","resources":[{"id":"a","acts":[]}]}`:              "resources",
		`{"kind":"resource","id":"a","accessListMode":"on"}`:                                                    "accessListMode",
		`{"kind":"resource","id":"a","ownerNumber":"1"}`:                                                        "ownerNumber",
	} {
		r, err := native.NewReader(strings.NewReader(line), "x", "s")
		if err != nil {
			t.Fatal(err)
		}
		e, err := r.Next()
		if err != nil || e.GetUnreadable().GetField() != field {
			t.Errorf("%s: %v, %v", line, e, err)
		}
	}
}
